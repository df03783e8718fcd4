"""mlpress: trained MLP classifiers pressed into the cheapest hardware that still classifies."""
