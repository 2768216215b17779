"""A made-up estate of any size, always the same for the same size: things, what they depend on, and evidence.

It is made of domains of 250 things each. Data flows from a vendor's raw datasets through twelve layers of derived ones
into features, models, deployments and endpoints; now and then a thing reads from another domain, mostly of its region
or of the few domains that everybody reads from. There are some 4.4 edges a thing, up to 28 one after the other, and no
circles. Numbers are given at random, so that no engine finds neighbours next to each other for nothing.

>>> estate = generate(1000)
>>> estate.size, len(estate.source) > 4000, KINDS[estate.kind[0]] in KINDS
(1000, True, True)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

THINGS, EDGES, EVIDENCE, ESTATE = "things.parquet", "edges.parquet", "evidence.parquet", "estate.aipe"
"""The files of an estate in its folder: tables, and the estate file that they are prepared into."""

NOW: Final = 20_400
"""The day of the benchmark, counted from 1 January 1970, as all days here."""

KINDS: Final = ("vendor", "dataset", "anonymisation", "feature", "prompt", "model", "deployment", "endpoint")
EDGE_TYPES: Final = (
    "supplied_by",
    "derived_from",
    "trained_on",
    "uses",
    "fine_tuned_from",
    "deployed_as",
    "exposes",
)
EVIDENCE_TYPES: Final = ("bias_audit", "dpia", "transfer_agreement", "model_card", "pen_test")
REGIONS: Final = ("eu-west", "eu-central", "us-east", "us-west", "ap-south", "uk-south")
TEXTS: Final = {
    "risk_class": ("minimal", "limited", "high"),
    "stage": ("dev", "staging", "production", "retired"),
    "license": ("apache-2.0", "mit", "cc-by-4.0", "proprietary", "cc-by-nc-4.0"),
    "region": REGIONS,
}
"""The values of attributes that are one of a few; in columns they are numbers, and -1 is not stated."""

DERIVED: Final = tuple(f"derived {depth}" for depth in range(1, 13))
_LAYERS: Final = {
    "vendor": 1,
    "raw": 40,
    **dict.fromkeys(DERIVED, 8),
    "feature": 60,
    "prompt": 7,
    "model": 25,
    "deployment": 14,
    "endpoint": 7,
}
DOMAIN: Final = sum(_LAYERS.values())
"""How many things there are in a domain."""

_NAMES: Final = tuple(_LAYERS)
_COUNT: Final = np.array(list(_LAYERS.values()))
_FIRST: Final = np.concatenate([[0], np.cumsum(_COUNT)[:-1]])
_RAW, _D1, _FEATURE = (_NAMES.index(name) for name in ("raw", DERIVED[0], "feature"))
_KIND: Final = np.array([KINDS.index(name if name in KINDS else "dataset") for name in _NAMES], np.int8)

_READS_ELSEWHERE: Final = 0.004


@dataclass(frozen=True, slots=True)
class Generated:
    """An estate in columns: by number of the thing, by edge, and by record of evidence."""

    kind: Array
    texts: dict[str, Array]
    contains_pii: Array
    owner: Array
    soc2_expiry: Array
    source: Array
    """What depends."""
    target: Array
    """What it depends on."""
    edge_type: Array
    about: Array
    evidence_type: Array
    issued: Array
    until: Array

    @property
    def size(self) -> int:
        """How many things there are."""
        return len(self.kind)

    def names(self) -> list[str]:
        """Return the id of each thing."""
        return [f"{KINDS[kind]}-{number:07d}" for number, kind in enumerate(self.kind.tolist())]


def generate(size: int) -> Generated:
    """Return the estate of a size, a multiple of 250."""
    if size <= 0 or size % DOMAIN:
        raise ValueError(f"the size of an estate is a multiple of {DOMAIN}")
    return _Maker(size).estate()


class _Maker:
    """Makes an estate; until the end, a thing's number says which domain and layer it is in."""

    def __init__(self, size: int) -> None:
        self.random = np.random.default_rng(size)
        self.size, self.domains = size, size // DOMAIN
        self.start = np.arange(self.domains) * DOMAIN
        self.domain = np.repeat(np.arange(self.domains), DOMAIN)
        self.layer = np.tile(np.repeat(np.arange(len(_NAMES)), _COUNT), self.domains)
        # Everybody reads from one domain in a hundred.
        self.hubs = max(1, self.domains // 100)
        self.home = self.random.integers(0, len(REGIONS), self.domains)
        self.by_region = np.argsort(self.home, kind="stable")
        self.in_region = np.bincount(self.home, minlength=len(REGIONS))
        self.region_start = np.concatenate([[0], np.cumsum(self.in_region)[:-1]])
        self.vendors = self.things("vendor")
        popularity = np.arange(1, self.domains + 1) ** -0.5
        self.popularity = np.cumsum(popularity) / popularity.sum()
        self.usual_vendors = self.some_vendor((self.domains, 2))

    def estate(self) -> Generated:
        """Return everything, with numbers given anew."""
        edges = list(self.edges())
        source = np.concatenate([one[0] for one in edges])
        target = np.concatenate([one[1] for one in edges])
        edge_type = np.concatenate([np.full(len(one[0]), EDGE_TYPES.index(one[2])) for one in edges])
        kind, pii = self.kinds(), self.personal()
        pii &= kind == KINDS.index("dataset")
        source, target, edge_type = self.anonymised(source, target, edge_type, kind, pii)
        region = self.home[self.domain]
        moved = self.chance(0.03)
        region[moved] = self.random.integers(0, len(REGIONS), moved.sum())
        texts = {
            "risk_class": self.choice([0.4, 0.35, 0.23, 0.02]),
            "stage": self.choice([0.25, 0.15, 0.5, 0.1]),
            "license": self.choice([0.25, 0.2, 0.2, 0.2, 0.05, 0.1]),
            "region": region,
        }
        for name in ("risk_class", "license"):
            texts[name][texts[name] == len(TEXTS[name])] = -1
        owner = self.random.integers(0, max(4, 2 * self.domains), self.size)
        owner[self.chance(0.02)] = -1
        expiry = np.where(kind == KINDS.index("vendor"), NOW + self.random.integers(-8, 700, self.size), -1)
        expiry[self.vendors[self.domains // 2]] = NOW - 3  # at least one has expired in every estate
        evidence = list(self.evidence(kind, pii, region))
        about = np.concatenate([one[0] for one in evidence])
        evidence_type = np.concatenate([np.full(len(one[0]), EVIDENCE_TYPES.index(one[1])) for one in evidence])
        issued = np.concatenate([NOW - self.random.integers(0, one[2], len(one[0])) for one in evidence])
        until = NOW + self.random.integers(-2, 900, len(about))  # a few have just expired
        until = np.maximum(until, issued + 1)
        # Edges stand once each; then everything is shuffled.
        key = np.unique((source * self.size + target) * len(EDGE_TYPES) + edge_type)
        ends, edge_type = np.divmod(key, len(EDGE_TYPES))
        source, target = np.divmod(ends, self.size)
        number = self.random.permutation(self.size)
        old = np.argsort(number)
        edge, record = self.random.permutation(len(key)), self.random.permutation(len(about))
        return Generated(
            kind[old],
            {name: column[old].astype(np.int8) for name, column in texts.items()},
            pii[old],
            owner[old].astype(np.int32),
            expiry[old].astype(np.int32),
            number[source][edge].astype(np.int32),
            number[target][edge].astype(np.int32),
            edge_type[edge].astype(np.int8),
            number[about][record].astype(np.int32),
            evidence_type[record].astype(np.int8),
            issued[record].astype(np.int32),
            until[record].astype(np.int32),
        )

    # --- picking -------------------------------------------------------------------------------------------

    def things(self, layer: str) -> Array:
        """Return the things of a layer."""
        at = _NAMES.index(layer)
        return (self.start[:, None] + _FIRST[at] + np.arange(_COUNT[at])).ravel()

    def several(self, things: Array, mean: float, least: int = 1) -> Array:
        """Return each thing as often as it has edges."""
        return np.repeat(things, np.maximum(least, self.random.poisson(mean, len(things))))

    def chance(self, share: float) -> Array:
        """Return for each thing whether a share of them includes it."""
        return self.random.random(self.size) < share

    def choice(self, shares: list[float]) -> Array:
        """Return for each thing one of a few numbers."""
        return self.random.choice(len(shares), self.size, p=shares)

    def some_vendor(self, shape: Any) -> Array:
        """Return vendors, the popular ones more often."""
        return self.vendors[np.searchsorted(self.popularity, self.random.random(shape))]

    def usual_vendor(self, things: Array) -> Array:
        """Return for each thing a vendor: as a rule, one of the two that its domain buys from."""
        found = self.usual_vendors[self.domain[things], self.random.integers(0, 2, len(things))]
        odd = self.random.random(len(things)) < 0.02
        found[odd] = self.some_vendor(int(odd.sum()))
        return found

    def pick(self, things: Array, layer: Array | int) -> Array:
        """Return for each thing one of a layer, as a rule of the same domain."""
        random, domain = self.random, self.domain[things]
        away = np.flatnonzero(random.random(len(things)) < _READS_ELSEWHERE)
        draw = random.random(len(away))
        region = self.home[domain[away]]
        alike = self.by_region[
            self.region_start[region] + (random.random(len(away)) * self.in_region[region]).astype(np.int64)
        ]
        anywhere = random.integers(0, self.domains, len(away))
        hub = random.integers(0, self.hubs, len(away))
        domain[away] = np.where(draw < 0.3, hub, np.where(draw < 0.93, alike, anywhere))
        layers = np.broadcast_to(layer, len(things))
        place = (random.random(len(things)) * _COUNT[layers]).astype(np.int64)
        return self.start[domain] + _FIRST[layers] + place

    def pick_between(self, things: Array, first: int, last: int) -> Array:
        """Return for each thing one of any of the layers from one to another."""
        return self.pick(things, self.random.integers(first, last + 1, len(things)))

    # --- edges ---------------------------------------------------------------------------------------------

    def edges(self) -> Iterator[tuple[Array, Array, str]]:
        """Yield sources, targets and the type."""
        random = self.random
        some = self.several(self.things("raw"), 1.2)
        yield some, self.usual_vendor(some), "supplied_by"
        for at, layer in enumerate(DERIVED, _D1):
            some = self.several(self.things(layer), 5.0)
            just_before = random.random(len(some)) < 0.6
            yield (
                some,
                self.pick(some, np.where(just_before, at - 1, random.integers(_RAW, at, len(some)))),
                "derived_from",
            )
        some = self.several(self.things("feature"), 4.0)
        yield some, self.pick_between(some, _D1, _FEATURE - 1), "derived_from"
        prompts = self.things("prompt")
        yield prompts, self.pick(prompts, _RAW), "derived_from"
        models = self.things("model")
        some = self.several(models, 3.0)
        yield some, self.pick_between(some, _RAW, _FEATURE - 1), "trained_on"
        some = self.several(models, 10.0)
        yield some, self.pick(some, _FEATURE), "uses"
        some = self.several(models, 0.3, 0)
        yield some, self.pick(some, _NAMES.index("prompt")), "uses"
        # Half of the models are tuned from one that stands before them in the domain, as a rule just before.
        place = np.tile(np.arange(_LAYERS["model"]), self.domains)
        tuned = (place > 0) & (random.random(len(models)) < 0.5)
        back = 1 + (random.random(int(tuned.sum())) ** 3 * place[tuned]).astype(np.int64)
        yield models[tuned], models[tuned] - back, "fine_tuned_from"
        some = models[random.random(len(models)) < 0.15]
        yield some, self.some_vendor(len(some)), "supplied_by"
        deployments = self.things("deployment")
        some = self.several(deployments, 1.3)
        yield some, self.pick(some, _NAMES.index("model")), "deployed_as"
        for mean, layer in ((0.5, "prompt"), (1.0, "feature")):
            some = self.several(deployments, mean, 0)
            yield some, self.pick(some, _NAMES.index(layer)), "uses"
        some = self.several(deployments, 0.5, 0)
        yield some, self.usual_vendor(some), "supplied_by"
        some = self.several(self.things("endpoint"), 1.4)
        yield some, self.pick(some, _NAMES.index("deployment")), "exposes"

    # --- attributes and evidence ---------------------------------------------------------------------------

    def kinds(self) -> Array:
        """Return the kind of each thing: a few derived datasets are the work of anonymisation."""
        kind = _KIND[self.layer]
        derived = (self.layer >= _D1) & (self.layer < _FEATURE)
        anonymises = derived & self.chance(0.05)
        anonymises[self.start + _FIRST[_D1]] = True
        kind[anonymises] = KINDS.index("anonymisation")
        return kind

    def personal(self) -> Array:
        """Return which things contain personal data, if they are datasets: some, in three domains of ten."""
        domains = self.random.random(self.domains) < 0.3
        domains[0] = True
        derived = (self.layer >= _D1) & (self.layer < _FEATURE)
        found = ((self.layer == _RAW) & self.chance(0.15)) | (derived & self.chance(0.005))
        found[self.start + _FIRST[_RAW]] = False
        return found & domains[self.domain]

    def anonymised(
        self, source: Array, target: Array, edge_type: Array, kind: Array, pii: Array
    ) -> tuple[Array, Array, Array]:
        """Lead all but a few readers of raw personal data to what anonymises it."""
        raw = pii & (self.layer == _RAW)
        careful = self.random.random(len(source)) < 0.99
        led = raw[target] & (kind[source] != KINDS.index("anonymisation")) & careful
        domain = self.start[self.domain[target]]
        instead = np.where(self.layer[source] > _D1, domain + _FIRST[_D1], domain + _FIRST[_RAW])
        personal = np.flatnonzero(raw)
        reader = self.start[self.domain[personal]] + _FIRST[_D1]
        return (
            np.concatenate([source, reader]),
            np.concatenate([np.where(led, instead, target), personal]),
            np.concatenate([edge_type, np.full(len(personal), EDGE_TYPES.index("derived_from"))]),
        )

    def evidence(self, kind: Array, pii: Array, region: Array) -> Iterator[tuple[Array, str, int]]:
        """Yield what evidence is about, its type and the greatest age in days."""
        models = np.flatnonzero(kind == KINDS.index("model"))
        audited = models[self.random.random(len(models)) < 0.9]
        yield self.several(audited, 1.5), "bias_audit", 500
        yield models[self.random.random(len(models)) < 0.8], "model_card", 900
        dataset = kind == KINDS.index("dataset")
        yield np.flatnonzero(dataset & ((pii & self.chance(0.99)) | self.chance(0.3))), "dpia", 1000
        away = region != self.home[self.domain]
        agreed = (away & self.chance(0.998)) | self.chance(0.55) | (self.domain < self.hubs)
        yield np.flatnonzero(dataset & agreed), "transfer_agreement", 1000
        yield self.several(np.flatnonzero(kind == KINDS.index("deployment")), 1.0), "pen_test", 700
