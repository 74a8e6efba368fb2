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
import math

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
    for `heatmap`, `epochs - final_epochs` for `main`, `epochs` for `final`,
    with the numbers of `config.phased()`.

    Args:
        config: A `config.TrainConfig`.
        state: The state before this epoch.
        validation_loss: Loss of this phase on the validation split.
    """
    better = validation_loss < state.best
    if math.isfinite(state.best):  # it may be below 0
        least = config.min_delta * abs(state.best)
        better = validation_loss < state.best - least
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


def plan(config: configs.TrainConfig, state: State) -> dict[str, int]:
    """How many epochs each phase has at most, from a state on."""
    left, epoch = {}, state.epoch
    for phase in PHASES[PHASES.index(state.phase) : -1]:
        end = max(_ends(config)[phase], epoch)
        left[phase], epoch = end - epoch, end
    return left


def resumed(
    config: configs.TrainConfig, state: State, *, longer: bool
) -> State:
    """The state with which a run goes on.

    Args:
        config: A `config.TrainConfig`.
        state: The state in its checkpoint.
        longer: Whether it was given more epochs. A finished run then goes back
            to the base learning rate.
    """
    if longer and state.phase == "done":
        state = State("main", state.epoch)
    return _enter(config, state)


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
    ends = _ends(config)
    while state.phase != "done" and state.epoch >= ends[state.phase]:
        state = State(_next(state.phase), state.epoch)
    return state


def _ends(config):
    """Dict from a phase to the number of its last epoch."""
    phased = config.phased()
    ends = {
        "heatmap": phased.heatmap_epochs,
        "main": config.epochs - phased.final_epochs,
        "final": config.epochs,
    }
    return {name: min(end, config.epochs) for name, end in ends.items()}


def _next(phase):
    return PHASES[PHASES.index(phase) + 1]
