"""An ensemble against severity: how fast it gets worse on corrupted images, and whether it knows. The command `shift`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from edgenes_core import ensembles, ood
from edgenes_core.corruptions import SEVERITIES, TEST_CORRUPTIONS, VALIDATION_CORRUPTIONS
from edgenes_core.progress import ProgressLine
from edgenes_core.reply import Reply
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.schema import ConfigError, to_dict
from edgenes_core.severity import CLEAN, ShiftMean, ShiftRow, shift_means
from edgenes_core.shifted import check_conditions, corrupted, reveal_corrupted


def shift_rows(
    run: Run, members: Sequence[str], corruptions: Sequence[str], severities: Sequence[int], split: str = "val"
) -> tuple[ShiftRow, ...]:
    """The clean images first, then each corruption by severity, from stored predictions; of test images two looks are counted."""
    conditions = [(name, severity) for name in corruptions for severity in sorted(severities)]
    if split == "test":
        found = reveal_corrupted(run, members, conditions)
        clean = run.reveal(members)
    else:
        found = [corrupted(run, members, *condition) for condition in conditions]
        clean = run.val_probabilities(members)
    y = run.targets(split)
    return tuple(
        ShiftRow(name, severity, ensembles.evaluate(probs, y, split))
        for (name, severity), probs in zip([(CLEAN, 0), *conditions], [clean, *found], strict=True)
    )


def shift(options: argparse.Namespace) -> Reply:
    """Predict what is missing, then the means by severity; with --outside, how well foreign images are told apart."""
    from edgenes_core.shift import foreign, predict_corrupted, predict_outside

    run = RunStore(options.runs).open(options.run)
    members, severities = _members(run, options.keys), severities_of(options.severities)
    split = options.store or ("test" if options.reveal else "val")
    corruptions = listed(options.corruptions) or [*VALIDATION_CORRUPTIONS, *TEST_CORRUPTIONS]
    check_conditions(corruptions, severities, split)
    line, separations = ProgressLine(sys.stderr), {}
    try:
        for event in predict_corrupted(run, members, corruptions, severities, split):
            line.show(event)
        for source in listed(options.outside):
            for event in predict_outside(run, members, source):
                line.show(event)
            if not options.store:
                separations[source] = ood.separate(run.val_probabilities(members), foreign(run, members, source))
    finally:
        line.close()
    if options.store:
        return Reply({"run": run.id, "members": members, "split": split}, f"{run.id}: stored, nothing was looked at")
    rows = shift_rows(run, members, corruptions, severities, split)
    means = shift_means(rows)
    data = {
        "run": run.id,
        "members": members,
        "rows": [{"corruption": r.corruption, "severity": r.severity, **to_dict(r.evaluation)} for r in rows],
        "means": [mean._asdict() for mean in means],
        "outside": {source: [_separation(s) for s in found] for source, found in separations.items()},
    }
    looks = [f"test looked at {run.reveals()} times in this run"] if options.reveal else []
    lines = [f"{' + '.join(members)} ({split} n = {means[0].n})", *map(_mean_line, means)]
    for source, found in separations.items():
        lines += [_separation_line(source, s) for s in found]
    return Reply(data, "\n".join(lines + looks))


def _members(run: Run, keys: str | None) -> list[str]:
    """The members asked for, else those of the selected ensemble."""
    if keys is not None:
        return listed(keys)
    stored = run.ensembles()
    if "selected" not in stored:
        raise ConfigError(f"Run {run.id} has no selected ensemble yet; name its members with --keys.")
    return list(dict.fromkeys(stored["selected"]["members"]))


def severities_of(text: str) -> list[int]:
    """What --severities says; ConfigError if it is no numbers."""
    try:
        return sorted({int(part) for part in listed(text)})
    except ValueError:
        raise ConfigError(
            f"--severities needs numbers from {SEVERITIES[0]} to {SEVERITIES[-1]} with commas, got {text[:40]!r}."
        ) from None


def listed(text: str | None) -> list[str]:
    """Words separated by commas, each once."""
    return list(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def _mean_line(mean: ShiftMean) -> str:
    over = f"mean of {mean.corruptions}" if mean.severity else CLEAN
    return (
        f"  severity {mean.severity}  {over:11} accuracy {100 * mean.accuracy:6.2f} %  NLL {mean.nll:.4f}  "
        f"Brier {mean.brier:.4f}  ECE {mean.ece:.4f}"
    )


def _separation(found: ood.Separation) -> dict[str, object]:
    value, lo, hi, _ = found.auroc
    return {"score": found.score, "auroc": value, "lo": lo, "hi": hi, "own": found.own, "foreign": found.foreign}


def _separation_line(source: str, found: ood.Separation) -> str:
    value, lo, hi, _ = found.auroc
    note = "  (one network: always 0.5)" if found.note else ""
    return f"  {source}: {ood.NAMES[found.score]:19} AUROC {value:.3f} [{lo:.3f}, {hi:.3f}]{note}"
