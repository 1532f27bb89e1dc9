"""Native histograms in expressions: their arithmetic, what is asked of one, and of a window of them."""
