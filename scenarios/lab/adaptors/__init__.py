"""What the instruments offer to pytest and Hypothesis: fixtures, decorators, strategies."""
