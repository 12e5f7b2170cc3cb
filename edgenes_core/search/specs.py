"""Every searcher: what it does, whose it is, and what was rebuilt. Importing this file does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

MEMBERS = ("first", "exhaustive", "forward")


@dataclass(frozen=True)
class SearcherSpec:
    """Name, module, what it does, what to cite; `members` says how an ensemble is chosen from its candidates on validation:
    "first" takes the first n, "exhaustive" the best n of N, "forward" by ForwardSelect. `rebuilt`: what the source leaves
    open and was reconstructed, or differs from it; empty if nothing."""

    name: str
    module: str
    about: str
    cite: str
    title: str = ""
    members: str = "first"
    rebuilt: str = ""


SEARCHERS: dict[str, SearcherSpec] = {
    spec.name: spec
    for spec in (
        SearcherSpec(
            "darts",
            "edgenes_core.search.darts",
            "one cell by differentiable search, first order, Gumbel noise in the forward pass",
            "Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search. ICLR 2019. Edge weights: Xu et al., PC-DARTS, ICLR 2020.",
            "DARTS",
            rebuilt="Gumbel noise in the forward pass and a frozen first part are additions of this project.",
        ),
        SearcherSpec(
            "darts2",
            "edgenes_core.search.second_order",
            "one cell by DARTS, its architecture judged after a virtual step of the weights",
            "Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search. ICLR 2019. Edge weights: Xu et al., PC-DARTS, ICLR 2020.",
            "DARTS, second order",
            rebuilt="The virtual step is differentiated exactly, not by the paper's finite difference. "
            "Gumbel noise and the frozen first part are additions of this project, as in DARTS here.",
        ),
        SearcherSpec(
            "snas",
            "edgenes_core.search.snas",
            "one cell by Concrete samples, weights and architecture on the same training loss",
            "Xie, Zheng, Liu, Lin: SNAS: Stochastic Neural Architecture Search. ICLR 2019.",
            "SNAS",
            rebuilt="The paper's text was not at hand: the temperature falls linearly from 1 to 0.1 by default. "
            "The resource term is left out. The space has no zero operation, so inputs are sampled by weights of their own.",
        ),
        SearcherSpec(
            "gdas",
            "edgenes_core.search.gdas",
            "one cell by hard samples of operations with the gradient of soft ones",
            "Dong, Yang: Searching for a Robust Neural Architecture in Four GPU Hours. CVPR 2019.",
            "GDAS",
            rebuilt="All operations run, so those not drawn give their real gradient, where the release adds constants and runs "
            "one; a step costs what a step of DARTS costs. Inputs are weighted softly. Optimisers and the frozen first part are the run's.",
        ),
        SearcherSpec(
            "pc_darts",
            "edgenes_core.search.pc_darts",
            "one cell by DARTS with weighted inputs, a part of the channels going through the operations",
            "Xu, Xie, Zhang, Chen, Qi, Tian, Xiong: PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search. ICLR 2020.",
            "PC-DARTS",
            rebuilt="Optimisers, steps and channels are the run's, not the paper's.",
        ),
        SearcherSpec(
            "xnas",
            "edgenes_core.search.xnas",
            "one cell by exponentiated gradient over operations, dropping those that can no longer win",
            "Nayman, Noy, Ridnik, Friedman, Jin, Zelnik-Manor: XNAS: Neural Architecture Search with Expert Advice. NeurIPS 2019.",
            "XNAS",
            rebuilt="A round is a batch, not an image, and rewards are clipped at 0.1 by default, not at 1, since means over a batch are "
            "smaller. Inputs are ranked by the share of their best operation; the paper's text on this was not at hand.",
        ),
        SearcherSpec(
            "edgenes",
            "edgenes_core.search.edgenes",
            "a family of cells α(λ) from one hypernetwork, λ edges shared with α*",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024.",
            "EdgeNES",
            "exhaustive",
            "The release's interpolation is corrected, many λ are drawn a step, and steps on the penalty alone end the training. "
            "Missing shared counts are filled with the most probable cell.",
        ),
        SearcherSpec(
            "fixed_lambda",
            "edgenes_core.search.fixed_lambda",
            "one search per whole λ, pulled to λ edges shared with α*",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024 (fixed-λ regime).",
            "EdgeNES, fixed λ",
            "exhaustive",
            "The soft count takes 16 draws a step, and for k = 2 the relaxed choice of two inputs, so that λ counts all shared edges.",
        ),
        SearcherSpec(
            "jensen_shannon",
            "edgenes_core.search.jensen_shannon",
            "a family of cells along their divergence from α*; here a large λ is far from α*",
            "Yakovlev, Bakhteev, Petrushina, Babkin: Differentiable algorithm for searching ensembles of deep learning models with diversity control. Preprint, MIPT 2023.",
            "EdgeNES 2023 (Jensen–Shannon)",
            "exhaustive",
            "By default the divergence is computed as it is defined, in bits, over each node's inputs and operations. The release's "
            "formulas are a setting. Many λ are drawn a step, and candidates are the distinct cells along the map.",
        ),
        SearcherSpec(
            "darts_cc",
            "edgenes_core.search.darts_cc",
            "a family of cells along their number of parameters, from one map of log λ",
            "Yakovlev, Grebenkova, Bakhteev, Strijov: Neural Architecture Search with Structure Complexity Control. AIST 2021.",
            "DARTS-CC",
            "exhaustive",
            "The classifier is shared by all λ, where the release generates its weights from λ. First order replaces second. Many λ are "
            "drawn a step, and the range of λ is given for a cell of average size. Parameters are weighted by each input's weight.",
        ),
        SearcherSpec(
            "random",
            "edgenes_core.search.baselines",
            "cells drawn uniformly from the space",
            "Li, Talwalkar: Random search and reproducibility for neural architecture search. UAI 2019.",
            "Random",
        ),
        SearcherSpec(
            "deviation",
            "edgenes_core.search.deviation",
            "α* with exactly d edges replaced at random",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024 (RandomD baseline).",
            "RandomD",
            rebuilt="Deviations are uniform among all cells with d other edges, where the release moves inputs only.",
        ),
        SearcherSpec(
            "deepens",
            "edgenes_core.search.deepens",
            "α* with several seeds",
            "Lakshminarayanan, Pritzel, Blundell: Simple and scalable predictive uncertainty estimation using deep ensembles. NeurIPS 2017.",
            "DeepEns",
            rebuilt="Without adversarial training.",
        ),
        SearcherSpec(
            "darts_ens",
            "edgenes_core.search.darts_ens",
            "the cells of several searches by DARTS",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024 (DartsEns baseline).",
            "DartsEns",
            rebuilt="A search is DARTS as it is here.",
        ),
        SearcherSpec(
            "nes_rs",
            "edgenes_core.search.nes_rs",
            "a pool of uniform cells, members by ForwardSelect",
            "Zaidi, Zela, Elsken, Holmes, Hutter, Teh: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021.",
            "NES-RS",
            "forward",
        ),
        SearcherSpec(
            "nes_re",
            "edgenes_core.search.nes_re",
            "a pool grown by mutating what ForwardSelect picks of the newest networks",
            "Zaidi, Zela, Elsken, Holmes, Hutter, Teh: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021.",
            "NES-RE",
            "forward",
            "Population and parents are scaled to the pool, from the paper's 50 and 10 of 400 networks. Validation images are as they are.",
        ),
        SearcherSpec(
            "nesbs_mc",
            "edgenes_core.search.nesbs_mc",
            "cells drawn from a posterior over cells, the best of several draws",
            "Shu, Chen, Dai, Low: Neural ensemble search via Bayesian sampling. UAI 2022.",
            "NESBS, Monte Carlo",
            rebuilt="The paper's text was not at hand. Inputs of nodes are drawn too, and a batch is shared by several cells. A cell drawn "
            "twice is trained twice.",
        ),
        SearcherSpec(
            "nesbs_svgd",
            "edgenes_core.search.nesbs_svgd",
            "cells pushed apart on a posterior over cells, the best of several strengths",
            "Shu, Chen, Dai, Low: Neural ensemble search via Bayesian sampling. UAI 2022.",
            "NESBS, SVGD-RD",
            rebuilt="The paper's text was not at hand. The relaxation of cells and the kernel, which adds over nodes, are this project's, "
            "as are the draws of inputs and the batch shared by several cells.",
        ),
        SearcherSpec(
            "multi_head",
            "edgenes_core.search.multi_head",
            "one network with several heads, each with a cell of its own",
            "Narayanan, Zela, Saikia, Brox, Hutter: Multi-headed neural ensemble search. UDL workshop at ICML 2021.",
            "Multi-headed NES",
            rebuilt="The paper's text was not at hand: losses, heads and trunk are reconstructed. The heads' cells are trained apart from "
            "scratch, as those of every method here, where the paper keeps one network.",
        ),
        SearcherSpec(
            "census",
            "edgenes_core.search.census",
            "uniform cells at each number of edges shared with α*, each with several seeds",
            "No method: asks whether cells farther from α* are worse (Babkin, Bakhteev, MIPT 2024, say so).",
            "Census by shared edges",
        ),
    )
}
