"""Pictures of lineage and of forecasts, as SVG, PNG or HTML.

A neutral model (`graph.Graph`, `timeline.Timeline`) becomes a `scene.Scene` of outlines and texts with places, and one
writer for each format writes that. Nothing here evaluates, reads a clock or looks at the machine: the same model gives
the same bytes.
"""
