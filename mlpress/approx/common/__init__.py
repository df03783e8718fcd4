"""Parts that both searches share: budgets, limits, fronts, executors, state files, the teacher."""
