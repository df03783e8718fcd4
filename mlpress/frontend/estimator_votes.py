"""scikit-learn's votes of several classifiers, where the members and their sum are one network.

Of two classes a member's probability is the sigmoid of one score, and its class a step of that score; a weighted sum
of either is a layer of one neuron over one neuron per member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend import branches, tail
from mlpress.frontend.data import class_name
from mlpress.frontend.steps import steps_of
from mlpress.frontend.symbolic import Flow, Label, reached
from mlpress.frontend.tensors import short
from mlpress.ir import Activations, HardSigmoid, Model, Sigmoid, ThresholdHead


class _Member(NamedTuple):
    name: str
    estimator: Any
    weight: float


def is_vote(estimator: Any) -> bool:
    """Return whether ``estimator`` decides by members that this module may read."""
    from sklearn.ensemble import BaggingClassifier, VotingClassifier
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.tree import BaseDecisionTree

    if isinstance(estimator, BaggingClassifier):
        return not any(isinstance(one, BaseDecisionTree) for one in getattr(estimator, "estimators_", ()))
    return isinstance(estimator, VotingClassifier | OneVsRestClassifier)


def voted(vote: Any, read: Callable[[Any], Model]) -> Model:
    """Return the model of a fitted ``VotingClassifier`` or ``BaggingClassifier`` of two classes, or one against rest.

    ``read`` returns the model of one member, over the features of the whole vote.  Raises :class:`MlpressError` where
    the vote is not fitted, is of more classes, or has a member that is no network or has no sigmoid.
    """
    from sklearn.multiclass import OneVsRestClassifier

    name = type(vote).__name__
    if not hasattr(vote, "estimators_"):
        raise MlpressError(f"this {name} is not fitted; call fit() first")
    classes = tuple(class_name(label) for label in np.ravel(vote.classes_).tolist())
    if isinstance(vote, OneVsRestClassifier):
        return _one_against_rest(vote, classes, read)
    if len(classes) != 2:
        raise MlpressError(
            f"{name} is not supported for {len(classes)} classes: a vote of several models is no single network, since "
            "each one's soft-max divides by a sum of its own; give one of them, or train one MLP on what they decide"
        )
    members = _members(vote)
    soft = vote.voting == "soft" if hasattr(vote, "voting") else hasattr(vote.estimators_[0], "predict_proba")
    shares = [_share(member, soft, read) for member in members]
    total = shares[0]
    for share in shares[1:]:
        total = branches.added(total, share)
    return tail.finished([Label(total, sum(member.weight for member in members) / 2, classes)], "auto", "")


def _one_against_rest(vote: Any, classes: tuple[int | str, ...], read: Callable[[Any], Model]) -> Model:
    """Return the model of a ``OneVsRestClassifier``: the class of the highest score of all members."""
    if vote.multilabel_:
        raise MlpressError("a OneVsRestClassifier of several labels per row is not supported; fit one class")
    kinds = {hasattr(one, "decision_function") for one in vote.estimators_}
    members = [_Member(str(k), one, 1.0) for k, one in enumerate(vote.estimators_)]
    scores = [_score(member, read) for member in members]
    if len(kinds) > 1 or any(one.head != ThresholdHead() for one in scores):
        raise MlpressError("a OneVsRestClassifier whose members decide in several ways is not supported; fit one kind")
    flows = [_flow(one) for one in scores]
    if len(flows) == 1:
        return tail.finished([Label(flows[0], 0.0, classes)], "auto", "")
    return tail.finished([Label(branches.joined(flows), None, classes)], "auto", "")


def _members(vote: Any) -> Sequence[_Member]:
    """Return the members that were fitted, each with its weight; a weight of 0 says nothing."""
    if not hasattr(vote, "voting"):
        if any(not np.array_equal(places, np.arange(vote.n_features_in_)) for places in vote.estimators_features_):
            raise MlpressError("a BaggingClassifier of parts of the features is not supported; use max_features=1.0")
        return [_Member(str(k), one, 1.0) for k, one in enumerate(vote.estimators_)]
    kept = [(given, one) for (given, one) in vote.estimators if not (isinstance(one, str) and one == "drop")]
    weights = [1.0] * len(vote.estimators) if vote.weights is None else [float(one) for one in vote.weights]
    if not np.isfinite(weights).all() or min(weights) < 0.0 or not sum(weights):
        raise MlpressError(f"the weights of this VotingClassifier are {short(str(weights))}; they must be 0 or more")
    told = [w for (_, one), w in zip(vote.estimators, weights, strict=True) if not isinstance(one, str)]
    fitted = zip(kept, vote.estimators_, told, strict=True)
    return [_Member(str(given), one, weight) for (given, _), one, weight in fitted if weight]


def _score(member: _Member, read: Callable[[Any], Model]) -> Model:
    """Return the model of a member, which decides by one score."""
    try:
        model = read(member.estimator)
    except MlpressError as error:
        raise MlpressError(f"member {short(member.name)} of the vote: {error}") from None
    if not isinstance(model.head, ThresholdHead):
        raise MlpressError(f"member {short(member.name)} of the vote: it decides by no one score; give it alone")
    return model


def _share(member: _Member, soft: bool, read: Callable[[Any], Model]) -> Flow:
    """Return what a member gives to the second class: its weight times its probability, or its weight or 0."""
    model = _score(member, read)
    score, at = _flow(model), model.head.at if isinstance(model.head, ThresholdHead) else 0.0
    share = score.activation(_probability(member)) if soft else reached(score, np.array([at]), strict=True)
    return share.affine(np.array([member.weight]), np.zeros(1))


def _probability(member: _Member) -> Activations:
    """Return what makes the second class's probability from a member's score, as its ``predict_proba`` does."""
    estimator = steps_of(member.estimator)[-1]
    name = type(estimator).__name__
    where = f"member {short(member.name)} of the vote: {name}"
    if getattr(estimator, "multi_class", None) == "multinomial":
        raise MlpressError(f"{where} with multi_class='multinomial' is not supported for two classes; leave it out")
    loss = getattr(estimator, "loss", "log_loss") if name == "SGDClassifier" else "log_loss"
    if loss == "modified_huber":
        return HardSigmoid(0.5, 0.5)
    if loss != "log_loss" or not hasattr(estimator, "predict_proba"):
        raise MlpressError(f"{where} has no probabilities; use voting='hard'")
    return Sigmoid()


def _flow(model: Model) -> Flow:
    """Return the one score of a model as a flow that layers can follow."""
    ones = np.ones(1)
    told = tuple((name, value) for name, value in zip(model.inputs, model.missing, strict=False) if value is not None)
    return Flow(
        names=model.inputs,
        shape=(1,),
        batch=None,
        scale=model.scale,
        offset=model.offset,
        gain=ones,
        shift=0.0 * ones,
        clip=model.clip,
        quantiser=model.quantiser,
        layers=model.layers,
        missing=tuple(sorted(told)),
    )
