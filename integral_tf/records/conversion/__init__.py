"""Labels of other tools: one module per format, and COCO's form for all."""
