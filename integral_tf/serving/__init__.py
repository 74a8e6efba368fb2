"""A client of TensorFlow Serving, and the replay of warm-up requests."""
