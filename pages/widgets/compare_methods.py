"""What each method is, who published it, what of it was rebuilt here, where its time goes, and the command that repeats it."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import streamlit as st

from edgenes_core.catalogue import KNOWN
from edgenes_core.search import SEARCHERS
from edgenes_core.study import STUDIES, Arm
from edgenes_core.study.folder import Study
from edgenes_core.study.store import is_bundled
from pages.widgets.compare_pick import Asked, amount
from pages.widgets.markdown import plain

MEMBERS = {
    "first": "the first n candidates",
    "exhaustive": "the best n of its candidates on validation, of all choices",
    "forward": "ForwardSelect on validation",
}


def tab(asked: Asked) -> None:
    """A card for each arm, two side by side."""
    st.caption(
        "Each command repeats one method of this study, with every seed; the same code and seeds give the same networks."
    )
    if about := file_words(asked.study):
        st.caption(f":material/info: {about}")
    columns = st.columns(2, gap="medium")
    for k, arm in enumerate(asked.study.config.arms):
        with columns[k % 2], st.container(border=True, key=f"compare_card_{arm.name}"):
            card(asked, arm)


def card(asked: Asked, arm: Arm) -> None:
    spec = SEARCHERS[arm.searcher]
    st.markdown(f"**{plain(arm.shown)}** · `{arm.name}`")
    st.markdown(f"{plain(spec.about)}; members: {MEMBERS[spec.members]}")
    st.caption(f":material/menu_book: {plain(spec.cite)}")
    if spec.rebuilt:
        st.caption(f":material/construction: **Rebuilt.** {plain(spec.rebuilt)}")
    if arm.settings:
        changed = ", ".join(f"`{name}` = {plain(str(value))}" for name, value in arm.settings)
        st.caption(f":material/tune: Changed for this arm: {changed}")
    st.caption(f":material/schedule: {spent(asked, arm)}")
    st.code(repeat_command(asked.study, arm), language="sh", wrap_lines=True)


def spent(asked: Asked, arm: Arm) -> str:
    """Stage by stage, mean over the stored seeds."""
    mine = [repeat for repeat in asked.study.repeats()[0] if repeat.arm.name == arm.name]
    if not mine:
        return "No repeat is stored."
    stages = list(dict.fromkeys(name for repeat in mine for name, _ in repeat.stages))
    parts = [f"{name} {np.mean([dict(r.stages).get(name, 0) for r in mine]):.1f} s" for name in stages]
    networks = np.mean([len(repeat.seconds) for repeat in mine])
    parts.append(f"{networks:.3g} trainings {np.mean([sum(r.seconds) for r in mine]):.1f} s")
    parts.append(f"choice {np.mean([r.select.seconds for r in mine]):.2f} s")
    images = np.mean([r.search.samples + r.samples * len(r.seconds) + r.select.samples for r in mine])
    return (
        f"Mean of {len(mine)} seed{'' if len(mine) == 1 else 's'}: {', '.join(parts)}; {amount(images)} images in all."
    )


def repeat_command(study: Study, arm: Arm) -> str:
    """A new study of this arm alone, with the same config; images that no name stands for are named by their file."""
    named = next((name for name, config in STUDIES.items() if config == study.config), "")
    place = f"assets/studies/{study.id}" if is_bundled(study) else f"{study.path}"
    data = study.config.base.dataset
    given = ["--dataset", Path(data).name if is_bundled(study) else data] if data not in KNOWN else []
    words = ["study", named or f"{place}/study.json", *given, "--arms", arm.name]
    return shlex.join(["python", "-m", "edgenes_core", *words])


def file_words(study: Study) -> str:
    """What a file of images is that does not come with the project; nothing for a dataset with a name."""
    data = Path(study.config.base.dataset)
    if str(data) in KNOWN or not is_bundled(study):
        return ""
    return (
        f"`{data.name}` does not come with the project: 5 000 training and 1 000 test images of Fashion-MNIST, as many of each class, "
        "as arrays x_train, y_train, x_test, y_test. `--dataset fashion_mnist` takes all of the published images instead."
    )


def fill_command(study: Study, *arms: str) -> str:
    """What does the repeats that are missing, of some arms."""
    return shlex.join(
        ["python", "-m", "edgenes_core", "study", study.id, "--resume", *(["--arms", ",".join(arms)] if arms else [])]
    )
