"""The engines that are compared: each module has ``load(folder)``, which returns the work that is measured."""
