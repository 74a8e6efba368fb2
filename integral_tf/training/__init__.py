from integral_tf import former

__getattr__ = former.names(__name__)
