// Package training is what training runs of every kind have in common: the
// loop over the steps, and the log of what they measure. It knows nothing of
// networks, so that models of speech, vocoders, models of images and priors
// over codes bring only their own step, evaluation and checkpoint.
//
// # Format of the log
//
// metrics.jsonl has one JSON object a line, in the order of the steps. Its key
// "step" is the number of optimiser steps done; every other number is a
// measurement, named by its path: {"step":20,"valid":{"mse_db2":31}} measures
// valid/mse_db2. The same measurements are in a TensorBoard event file beside
// it. Lines are written at once, and those that a killed run wrote after its
// last checkpoint are dropped when it goes on, so that no step is there twice.
package training
