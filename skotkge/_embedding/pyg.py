"""Entity tables and triples as the tensors of a PyG graph."""

import torch


def pyg_data(vectors, ids, **labels):
    """Return a ``torch_geometric.data.Data`` with a typed edge for each triple.

    Parameters
    ----------
    vectors : ndarray of shape (n_entities, d)
    ids : ndarray of shape (n_triples, 3)
    **labels : list
        Further attributes, which stay lists.

    Raises
    ------
    ImportError
        If torch_geometric is not installed.
    """
    try:
        from torch_geometric.data import Data
    except ImportError as error:
        raise ImportError(
            'to_pyg needs torch_geometric: pip install torch_geometric, or the extra "pyg" of skotkge.'
        ) from error
    edges = torch.tensor(ids)
    return Data(x=torch.tensor(vectors), edge_index=edges[:, [0, 2]].T.contiguous(), edge_type=edges[:, 1], **labels)
