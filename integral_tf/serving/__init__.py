"""A client of TensorFlow Serving, and what asks a server again."""
