"""From scores to ranks, best answers and probabilities, within the working memory."""
