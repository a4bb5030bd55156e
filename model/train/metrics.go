package train

// stepRecord is one line of losses.
type stepRecord struct {
	Step int `json:"step"`
	Losses
	GradNorm     float64 `json:"grad_norm"` // before clipping
	LearningRate float64 `json:"learning_rate"`
	Temperature  float64 `json:"sq/temperature,omitempty"`
	LogVar       float64 `json:"sq/log_var_scalar,omitempty"`
}

// Losses is the record of the last step.
func (r *run) Losses() any {
	rec := stepRecord{Step: r.state.Step, Losses: r.losses, GradNorm: r.solver.GradNorm, LearningRate: r.solver.Rate(r.state.Step - 1)}
	if r.o.Model.Quantizer.Kind.Gaussian() {
		rec.Temperature = r.o.Model.Quantizer.TemperatureAfter(r.state.Step - 1)
		rec.LogVar = float64(r.state.Weights["quantizer.log_var_scalar"][0])
	}
	return rec
}
