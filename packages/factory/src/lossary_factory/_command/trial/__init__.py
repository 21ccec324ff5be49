"""A forward and a backward pass of a built loss, on data that is given or made up. Most of it needs torch."""
