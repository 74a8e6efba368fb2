"""The training loop of Section 6.1, on one device or many.

The loop is explicit, because Keras 3's `fit` does not run under every strategy,
and because an interrupted run must continue at any step with the same result.
"""

import dataclasses
import math
import pathlib

import keras

from integral_tf import config as configs
from integral_tf import ownership
from integral_tf import progress as bars
from integral_tf import runs
from integral_tf import whole
from integral_tf.evaluation import calibrate
from integral_tf.evaluation import predictions
from integral_tf.models import methods
from integral_tf.models import reading
from integral_tf.training import account
from integral_tf.training import after_training
from integral_tf.training import averages
from integral_tf.training import batch_norm
from integral_tf.training import batch_statistics
from integral_tf.training import board
from integral_tf.training import checkpoint
from integral_tf.training import feed
from integral_tf.training import initial_weights
from integral_tf.training import interrupts
from integral_tf.training import kept_models
from integral_tf.training import logs
from integral_tf.training import objectives
from integral_tf.training import optimizers
from integral_tf.training import preflight
from integral_tf.training import schedule
from integral_tf.training import step
from integral_tf.training import validation
from integral_tf.training import workers


def train(config: configs.TrainConfig) -> pathlib.Path:
    """Trains a run, or resumes it where it was interrupted.

    Args:
        config: A `config.TrainConfig`; `data` is a folder of records and
            `workdir` the run's folder.

    Returns:
        Path of the trained `model.keras`.

    Raises:
        BlockingIOError: another process trains in `workdir`.
        FileNotFoundError: there are no records.
        ValueError: a flag is out of range, `workdir` holds another run or a
            damaged one, or the records are damaged.
        FloatingPointError: a loss or a gradient is not finite.
        interrupts.Interrupted: Ctrl-C or SIGTERM ended the training, which has
            saved its place.
        workers.Ended: another worker has ended.
    """
    preflight.check_workdir(config)
    config = preflight.remembered(config)
    # Before the lock, which would change the folder's time of modification.
    if path := runs.finished(config):
        return path
    with workers.joined(config) as (crew, own), ownership.of(own.workdir):
        # The last owner of the lock may have finished the run meanwhile.
        if path := runs.finished(own):
            return path
        whole.clear(own.workdir)
        records = preflight.check(own)
        _Run(own, records, crew).train()
    return pathlib.Path(config.workdir) / runs.MODEL


def build(config: configs.TrainConfig, joints: int) -> keras.Model:
    """The run's network, under its dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.mixed_precision)
    try:
        return methods.of_config(
            config,
            joints,
            beta=objectives.beta(config),
            weights=config.weights,
        )
    finally:
        keras.config.set_dtype_policy(before)


class _Run:
    """One run's model, optimizer, data and place in the schedule."""

    def __init__(self, config, records, crew):
        self.config = config
        self.workdir = pathlib.Path(config.workdir)
        self.crew, self.strategy = crew, crew.strategy
        crew.check_records(records)
        keras.utils.set_random_seed(config.seed)
        self.skeleton = records.skeleton
        self.feed = feed.Feed(config, records, self.strategy)
        self.has_val = bool(records.people("val"))
        resumes = bool(runs.checkpoints(self.workdir))
        with self.strategy.scope():
            self._build(resumes)
        self.observer = predictions.Observer(self.model, records.skeleton)
        self.validator = validation.Validator(config, self._observe, records)
        self.reading = None
        self.listener = interrupts.Listener()
        self.progress = checkpoint.Progress(schedule.start(config))
        self.checkpoints = checkpoint.Checkpoints(
            self.workdir,
            config.keep_checkpoints,
            self.model,
            self.optimizer,
            self.progress,
            self.average.variables if self.average else (),
        )
        self.account = account.Account(
            config, self.model, self.feed, self.progress, self.checkpoints
        )
        if resumes:
            self._resume()
        elif config.init_from:
            source, whole = config.init_from, not config.epochs
            print(initial_weights.take(self.model, source, whole=whole))
            if self.average:
                self.average.begin()
        # Only now, so that flags that fail to build a model leave no run.
        runs.claim(config)
        runs.claim_records(config, records)
        runs.save_skeleton(self.skeleton, self.workdir)
        (self.workdir / runs.STOPPED).unlink(missing_ok=True)
        crew.check_place(self.progress)

    def _build(self, resumes):
        """Makes the model, the optimizer and the step."""
        config = self.config
        # A checkpoint has the weights; the backbone's file may be gone.
        weights = "" if resumes else config.weights
        self.model = build(
            dataclasses.replace(config, weights=weights), len(self.skeleton)
        )
        if config.sync_batch_norm:
            batch_norm.synchronize(self.model)
        batch_statistics.fuse(self.model)
        self.optimizer = optimizers.optimizer(config, self.model)
        self.average = None
        if config.ema:
            self.average = averages.Average(
                self.model, self.optimizer, config.ema
            )
        self.step = step.Step(
            config,
            self.strategy,
            self.model,
            self.optimizer,
            self.average,
            skeleton=self.skeleton,
        )

    def _resume(self):
        """Restores the run's place; takes up a finished one if it grew."""
        self.checkpoints.restore()
        progress, before = self.progress, runs.grown(self.config)
        if progress.beta is not None:
            reading.set_beta(self.model, progress.beta)
        was = progress.state
        state = schedule.resumed(self.config, was, longer=bool(before))
        if was.phase == "done" and state.phase != "done":
            rate = schedule.learning_rate(self.config, state)
            print(
                f"lengthened from {before} to {self.config.epochs} epochs: "
                f"the learning rate is {rate:g}"
            )
            # First, since model.keras would be the same command's result. The
            # run's flags follow last: the old ones tell that it has grown.
            validator = self.validator if self.has_val else None
            kept_models.reopen(self.workdir, progress, validator)
            progress.state = state
            self.checkpoints.save()
        progress.state = state

    def _observe(self, *args):
        """`observer`, which a signal ends between two batches."""
        for batch in self.observer(*args):
            self.crew.check(self.listener)
            yield batch

    def train(self):
        try:
            with interrupts.listening() as self.listener:
                return self._train()
        except interrupts.Interrupted as asked:
            raise self._interrupted(asked) from None
        except feed.Damaged as error:
            self.listener = interrupts.Listener()
            saved = f"Saved at {self._place()}. " if self.crew.chief else ""
            raise ValueError(f"{saved}{error}") from None

    def _train(self):
        config, progress = self.config, self.progress
        plan = schedule.plan(config, progress.state)
        phases = ", ".join(f"{count} {phase}" for phase, count in plan.items())
        print(
            f"{config.method} {config.backbone}: "
            f"{self.model.count_params():,} parameters, "
            f"{self.strategy.num_replicas_in_sync} device(s), "
            f"{self.feed.steps} steps an epoch, "
            f"epochs: at most {config.epochs}, to go: {phases or 'none'}"
        )
        if progress.row:
            # The run may have been killed between the checkpoint and the log.
            logs.append_log(self.workdir, progress.row)
        if place := progress.place():
            print(place)
        with bars.bar(
            "train",
            config.epochs * self.feed.steps,
            unit="steps",
            initial=progress.state.epoch * self.feed.steps + progress.step,
        ) as bar:
            self._epochs(bar)
        return self._finish()

    def _epochs(self, bar):
        """Trains and validates until the schedule ends."""
        config, progress = self.config, self.progress
        show = board.opened(
            config, progress.state.epoch, self.validator, self.observer
        )
        phase = None
        while progress.state.phase != "done":
            where = f"epoch {progress.state.epoch + 1}/{config.epochs}"
            if progress.state.phase != phase:
                before, phase = phase, progress.state.phase
                if before and (line := schedule.change(config, before, phase)):
                    bars.write(f"{where}: {line}")
                bars.say(bar, f"{where} {phase}, compiling")
                self._enter_phase(phase)
            means = self._train_epoch(bar, f"{where} {phase}")
            if self.has_val:
                bars.say(bar, f"{where} {phase}, validating")
            with averages.applied(self.average):
                loss = self._end_epoch(means, show)
            row = progress.row
            self.account.save()
            self._check_epoch(loss)
            logs.append_log(self.workdir, row)
            bars.write(logs.line(row))

    def _end_epoch(self, means, show):
        """Validates and saves an epoch's models; returns its loss."""
        progress, figures = self.progress, {}
        if self.has_val:
            self.reading = self.validator.read(self.objectives)
            figures = self.reading.figures
        row = logs.row(self.config, progress.state, means, figures)
        loss = self.crew.of_chief((figures or means)["loss"])
        progress.state = schedule.advance(self.config, progress.state, loss)
        progress.step, progress.sums, progress.row = 0, {}, row
        runs.check_there(self.config)
        if math.isfinite(loss):
            # Before the checkpoint: a killed run writes the same ones again.
            kept_models.keep(
                self.model, self.reading, progress, self.workdir, self.skeleton
            )
        show(row)
        return loss

    def _finish(self):
        """Saves the finished model; returns its path."""
        if self.has_val:
            self._calibrate()
        with averages.applied(self.average):
            path = kept_models.finish(
                self.model,
                self.reading,
                self.progress,
                self.workdir,
                self.skeleton,
            )
        print(f"model: {path}")
        return path

    def _interrupted(self, asked):
        """Saves a checkpoint; returns the error to raise, with a sentence."""
        progress, self.listener = self.progress, interrupts.Listener()
        place = self._place()
        if progress.state.phase != "done":
            losses = self._objectives(progress.state.phase)
            if math.isfinite(
                self.validator.training_loss(losses, self.feed.records)
            ):
                self.checkpoints.prove()
        return interrupts.Interrupted(
            f"saved at {place}; the same command goes on from there",
            asked.number,
        )

    def _place(self):
        """Saves a checkpoint, unless the last is saved; returns its place."""
        progress = self.progress
        if progress.state.phase == "done":
            return "the end"
        self.account.save()
        return f"epoch {progress.state.epoch + 1}, step {progress.step}"

    def _enter_phase(self, phase):
        """Sets the learning rate, the losses and the step of a phase."""
        self.optimizer.learning_rate = schedule.learning_rate(
            self.config, self.progress.state
        )
        if (
            phase != "heatmap"
            and objectives.reads_gaussian(self.config)
            and objectives.chooses_beta(self.config)
            and self.has_val
            and self.progress.beta is None
        ):
            # The joint loss needs a beta that suits these maps.
            self._calibrate()
            self.progress.beta = self.crew.of_chief(self.reading.beta)
            reading.set_beta(self.model, self.progress.beta)
            self.account.save()
        self.objectives = self._objectives(phase)
        self.train_step = self.step.of_phase(self.objectives)

    def _objectives(self, phase):
        empty = self.feed.records.negatives("train") > 0
        return objectives.objectives(
            self.config, phase, self.skeleton, negatives=empty
        )

    def _train_epoch(self, bar, where):
        """Runs the rest of the epoch; returns the mean losses."""
        progress = self.progress
        with step.as_traced():
            for batch in self.feed.rest(progress):
                self.account.add(*self.train_step(batch))
                bars.say(bar, where)
                if (loss := self.account.loss) is not None:
                    bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update()
                self.crew.check(self.listener)
        self.account.read()
        return {n: s / progress.step for n, s in progress.sums.items()}

    def _check_epoch(self, loss):
        """Proves the epoch's checkpoint, or stops the run at its end.

        An early validation loss may be NaN, while moving averages settle.
        """
        ends = self.progress.state.phase == "done"
        if self.has_val:
            what, good = f"The validation loss is {loss}", math.isfinite(loss)
        elif ends:
            with averages.applied(self.average):
                loss = self.validator.training_loss(
                    self.objectives, self.feed.records
                )
            what = f"The loss on people of the training split is {loss}"
            good = math.isfinite(loss)
        else:
            return  # the next step proves the checkpoint or stops
        if good:
            self.checkpoints.prove()
        elif ends:
            self.account.stop(what)
        else:
            bars.write(f"{what}: if it is so at the end, the run is refused")

    def _calibrate(self):
        """Reads the model, unless this epoch's validation has; tells of it."""
        if self.reading is None:
            with averages.applied(self.average):
                self.reading = self.validator.read()
        after_training.tell(self.reading)
        if self.reading.beta is not None:
            logs.append_betas(
                self.workdir,
                self.progress.state,
                calibrate.BETAS,
                self.reading.aucs,
            )
