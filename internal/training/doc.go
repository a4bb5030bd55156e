// Package training is what training runs of every kind have in common: the run
// folder, the loop over the steps, when checkpoints are written, and the log of
// what is measured. It knows nothing of networks, so that models of speech,
// vocoders, models of images and priors over codes bring only their own step,
// evaluation and checkpoint.
//
// # The run folder
//
// config.json says what a run was given. latest.safetensors is the checkpoint
// that a resumed run goes on from, best.safetensors that of the best evaluation,
// in runs that choose one. The rest are the log and what a run makes at its end.
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
