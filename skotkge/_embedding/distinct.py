"""Distinct entities of a batch, and a sample of all entities, in sizes that the device need not be asked for."""

import torch


def distinct(ids, n_entities):
    """Return distinct ids in increasing order, and where each of `ids` is among them.

    On a CPU they are as many as there are. Any other device would have to be waited for to learn how many, so there
    they are as many as there can be, the largest repeated at the end.

    Parameters
    ----------
    ids : tensor of shape (n_ids,), dtype int64
    n_entities : int
        Ids are below it.

    Returns
    -------
    present : tensor of shape (n_present,)
    positions : tensor of shape (n_ids,)
    """
    if ids.device.type == "cpu":
        return torch.unique(ids, return_inverse=True)
    return distinct_in_fixed_size(ids, n_entities)


def distinct_in_fixed_size(ids, n_entities):
    """Distinct ids without a look at them; see `distinct`."""
    # In sorted order the number of changes up to an id is its position among the distinct ones. Equal ids are written
    # to the same place with the same value, in whatever order.
    ordered, origins = ids.sort()
    places = (torch.diff(ordered, prepend=ordered[:1]) != 0).cumsum(0)
    positions = torch.empty_like(places).scatter_(0, origins, places)
    present = ordered[-1:].repeat(min(len(ids), n_entities)).scatter_(0, places, ordered)
    return present, positions


def is_first(present):
    """Tell which of ids in increasing order differ from those before them; all others are repetitions.

    Returns
    -------
    tensor of shape (n_present,), dtype bool
    """
    return torch.diff(present, prepend=present[:1] - 1) != 0


class Strata:
    """Consecutive parts of the entities, nearly equal in size; a sample has one entity of each.

    So the entities of a sample are distinct and in increasing order, and that of a part stands for all of the part:
    sums over the sample, each entity times `sizes`, estimate sums over all entities without bias.

    Parameters
    ----------
    n_entities : int
    n_strata : int
        At most as many as there are entities.
    device : str
    """

    def __init__(self, n_entities, n_strata, device):
        n_strata = min(n_strata, n_entities)
        # Part s is [floor(s n / S), floor((s + 1) n / S)), of floor(n / S) or one entity more.
        edges = torch.arange(n_strata + 1) * n_entities // n_strata
        self._starts = edges[:-1].to(device)
        self.sizes = edges.diff().to(device, torch.float32)

    def __len__(self):
        return len(self._starts)

    def draw(self, generator):
        """Draw an entity of each part, all of a part with equal probability."""
        # In double precision, where no product of a number below 1 with a size is rounded up to the size.
        uniform = torch.rand(len(self), dtype=torch.float64, device=self._starts.device, generator=generator)
        return self._starts + (uniform * self.sizes).long()

    def most_of(self, first, stop):
        """Return how many entities of a sample lie at most in ``[first, stop)``, which has an entity or more."""
        ends = self.part_of(torch.tensor([first, stop - 1], device=self._starts.device)).tolist()
        return ends[1] - ends[0] + 1

    def part_of(self, ids):
        """Return the number of the part of each entity."""
        return torch.searchsorted(self._starts, ids, right=True) - 1
