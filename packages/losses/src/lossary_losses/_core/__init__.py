"""What the losses share: options, input preparation, reductions. Each is written once, here."""
