"""Plots of the benchmarks' results, as SVG: each module has functions from a result to plots.

Nothing here measures. Matplotlib (dependency group `plots`) is imported only when a plot is drawn.
"""
