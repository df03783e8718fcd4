"""Training of an integer net on input codes."""

from __future__ import annotations

from dataclasses import replace

from mlpress.approx.integer.scaled import ScaledTrainer
from mlpress.approx.integer.training import Ints, Trainer, Training
from mlpress.ir import Net, Threshold


def train(codes: Ints, labels: Ints, net: Net, how: Training) -> Net:
    """Train a net with the inputs, the head and the classes of ``net`` on input codes, int64 (rows, inputs).

    ``labels`` are class indices (rows,).  The head is an argmax over one score per class, or a threshold of one score.
    Equal arguments give an equal net.  Raises :class:`MlpressError` for bits that ``how`` cannot have.
    """
    how.check()
    widths = [feature.bits for feature in net.inputs]
    trainer = (ScaledTrainer if how.scaled else Trainer)(codes, labels, net, how)
    real = round(how.epochs * trainer.real_share)
    trainer.run(quantised=False, epochs=real)
    trainer.calibrate(-max(widths))
    trainer.run(quantised=True, epochs=how.epochs - real)
    return replace(net, layers=trainer.layers(widths, net.head.at if isinstance(net.head, Threshold) else 0))
