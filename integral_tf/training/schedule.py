"""The schedule of Section 6.1, as a state machine.

    heatmap  heat-map loss alone, at the base learning rate; I1 to I3 only
    main     the losses of the method, at the base learning rate
    final    the same losses, at the final learning rate
    done     training has ended

"The base learning rate is 1e-3. It drops to 1e-5 when the loss on the
validation set saturates"; "the network is pre-trained only using heat map loss
... and then both losses on heat map and joint are used".
"""

import dataclasses

from integral_tf import config as configs

PHASES = ("heatmap", "main", "final", "done")


@dataclasses.dataclass
class State:
    """A run's place in the schedule, saved in checkpoints.

    Attributes:
        phase: One of `PHASES`.
        epoch: Epochs finished.
        best: Lowest validation loss in this phase.
        waited: Epochs since the lowest validation loss.
    """

    phase: str
    epoch: int = 0
    best: float = float("inf")
    waited: int = 0


def start(config: configs.TrainConfig) -> State:
    """The state before the first epoch."""
    # A run that starts from another run has trained heat maps already.
    pretrains = (
        config.method in configs.TWO_PHASE_METHODS and not config.init_from
    )
    return _enter(config, State("heatmap" if pretrains else "main"))


def advance(
    config: configs.TrainConfig, state: State, validation_loss: float
) -> State:
    """The state after one more epoch.

    A phase ends when the validation loss has not fallen by the fraction
    `min_delta` for `patience` epochs, or at its last epoch: `heatmap_epochs`
    for `heatmap`, `epochs - final_epochs` for `main`, `epochs` for `final`.

    Args:
        config: A `config.TrainConfig`.
        state: The state before this epoch.
        validation_loss: Loss of this phase on the validation split.
    """
    better = validation_loss < state.best * (1 - config.min_delta)
    state = State(
        state.phase,
        state.epoch + 1,
        validation_loss if better else state.best,
        0 if better else state.waited + 1,
    )
    if state.waited >= config.patience:
        # Phases have different losses, so `best` starts anew.
        state = State(_next(state.phase), state.epoch)
    return _enter(config, state)


def learning_rate(config: configs.TrainConfig, state: State) -> float:
    """Adam's rate in this state."""
    if state.phase == "final":
        return config.final_learning_rate
    return config.learning_rate


def change(config: configs.TrainConfig, before: str, after: str) -> str:
    """One line on a phase that ends and the next one; empty for others."""
    said = []
    if before == "heatmap" and after != "done":
        said.append(
            "the joint loss joins the heat-map loss"
            if config.joint_phase == "both"
            else "the joint loss takes the place of the heat-map loss"
        )
    if before != after == "final":
        said.append(f"the learning rate is {config.final_learning_rate:g}")
    return ", ".join(said)


def _enter(config, state):
    """Leaves every phase whose epochs are used up."""
    ends = {
        "heatmap": config.heatmap_epochs,
        "main": config.epochs - config.final_epochs,
        "final": config.epochs,
    }
    while state.phase != "done" and (
        state.epoch >= min(ends[state.phase], config.epochs)
    ):
        state = State(_next(state.phase), state.epoch)
    return state


def _next(phase):
    return PHASES[PHASES.index(phase) + 1]
