"""What both searches share: budgets, limits, the choice of a design, workers, state files, the teacher."""
