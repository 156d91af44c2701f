"""What teaches: the demonstrations, the notebooks and the slides, in a checkout or in an installed wheel."""
