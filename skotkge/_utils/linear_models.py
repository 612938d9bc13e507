"""Small regressions inside of our fits, as functions.

A fit of scikit-learn's estimators within ours would be taken for the model by tools that watch `fit`, such as MLflow's
autologging.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import ridge_regression

LARGEST_CHANGES = 1000


def logistic_regression(features, truth, weights=None, *, C=1.0, tol=1e-4):
    """Logistic regression with a ridge penalty on all but the intercept, as `sklearn.linear_model.LogisticRegression`.

    Parameters
    ----------
    features : ndarray or csr_array of shape (n_rows, n_features)
    truth : ndarray of shape (n_rows,), dtype bool
    weights : ndarray of shape (n_rows,), default=None
    C : float, default=1.0
        Inverse of the strength of the penalty.
    tol : float, default=1e-4
        Largest component of the gradient of the mean loss at the end.

    Returns
    -------
    coefficients : ndarray of shape (n_features,)
    intercept : float
    """
    weights = np.ones(len(truth)) if weights is None else weights
    total, penalty = weights.sum(), 1 / (C * weights.sum())
    weights = weights / total

    # sum_i w_i (log(1 + exp(z_i)) - y_i z_i) + penalty / 2 |a|^2 with z = X a + b and sum_i w_i = 1.
    def objective(parameters):
        coefficients, intercept = parameters[:-1], parameters[-1]
        logits = features @ coefficients + intercept
        value = weights @ (np.logaddexp(0, logits) - truth * logits) + penalty / 2 * coefficients @ coefficients
        residuals = weights * (expit(logits) - truth)
        return value, np.append(features.T @ residuals + penalty * coefficients, residuals.sum())

    options = {"maxiter": LARGEST_CHANGES, "maxls": 50, "gtol": tol, "ftol": 64 * np.finfo(float).eps}
    found = minimize(objective, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", options=options)
    return found.x[:-1], found.x[-1]


def ridge_with_intercept(features, targets, penalty):
    """Ridge regression with a free intercept, as `sklearn.linear_model.Ridge`.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows, n_targets)
    penalty : float

    Returns
    -------
    coefficients : ndarray of shape (n_features, n_targets)
    intercepts : ndarray of shape (n_targets,)
    """
    centre, target_centre = features.mean(axis=0), targets.mean(axis=0)
    coefficients = ridge_regression(features - centre, targets - target_centre, penalty).T
    return coefficients, target_centre - centre @ coefficients
