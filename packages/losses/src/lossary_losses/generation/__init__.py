"""Losses of generative models: adversarial, diffusion and variational ones."""
