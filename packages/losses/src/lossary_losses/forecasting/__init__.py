"""Losses of forecasts: of the parameters of a distribution, and of ensembles."""
