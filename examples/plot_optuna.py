"""
Tuning with Optuna
==================

`Optuna <https://optuna.org>`_ proposes parameters by what it has learned from those before, and a callback lets it stop
fits that fall behind. Here: learning rate, regularisation and batch size of small embeddings.
"""

import matplotlib.pyplot as plt
import optuna

from skotkge import OTKGEClassifier
from skotkge.datasets import load_emoji

kg = load_emoji()


# %%
# A trial
# -------
# One space is trained, so that the epochs are the steps of the trial. The score of an epoch is the filtered MRR on the
# validation triples.
class Pruning:
    """Reports each epoch to a trial, and ends those that fall behind."""

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, state):
        self.trial.report(state.validation_score, state.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def validation_mrr(trial):
    """Fit with the parameters that a trial proposes."""
    kge = OTKGEClassifier(evidence=["structure"], embedding_dim=32, max_iter=8, random_state=0)
    kge.set_params(
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.5, log=True),
        regularization=trial.suggest_float("regularization", 1e-4, 1e-1, log=True),
        batch_size=trial.suggest_categorical("batch_size", [128, 512]),
    )
    return max(kge.fit(kg.train.labels, X_val=kg.valid, callbacks=[Pruning(trial)]).validation_scores_)


# %%
# The study
# ---------
optuna.logging.set_verbosity(optuna.logging.WARNING)
pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=3)
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner)
study.optimize(validation_mrr, n_trials=12)
pruned = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.PRUNED]
print(f"{study.best_value:.3f} with {study.best_params}; {len(pruned)} of {len(study.trials)} trials ended early")

figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for trial in study.trials:
    steps = list(trial.intermediate_values)
    ax.plot(steps, list(trial.intermediate_values.values()), color="C1" if trial in pruned else "C0", alpha=0.7)
ax.set(xlabel="epoch", ylabel="filtered MRR, validation", title="Finished trials in blue, those ended early in orange")
