"""Where the table of the entities may lie: what a table on disk needs, and what is to be done where it lacks."""


def check_entity_table(X, options):
    """Refuse a table on disk where it could not be trained row by row.

    Parameters
    ----------
    X : MultimodalTriples
    options : FitOptions

    Raises
    ------
    ValueError
        If it has no meaning with the triples or the other options.
    """
    training = options.training
    if training.entity_table != "disk":
        return
    needs = {
        "X without a fusion, whose features are in memory whole": X.fusion is None,
        "an objective that asks for few rows, such as CrossEntropy(n_sampled=1024), not one over all entities": (
            training.objective.needs_few_rows
        ),
        'optimizer="rowwise_adagrad", as the state of any other is as large as the table': (
            training.optimizer == "rowwise_adagrad"
        ),
        'device="cpu"': training.device.partition(":")[0] == "cpu",
        "one process; several share the rows among themselves": options.processes is None,
    }
    lacking = [need for need, is_met in needs.items() if not is_met]
    if lacking:
        raise ValueError(f'entity_table="disk" needs {lacking[0]}; or set entity_table="memory".')
