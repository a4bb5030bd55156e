package train

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// Inputs are the values of the graph's input nodes: writing to them sets the
// next step.
type Inputs struct {
	Latents  []float32 // [B, L, d]
	Jitter   []int32   // [B, L] offsets: latent l is replaced by latent l+offset
	Speaker  []int32   // [B]
	Previous []int32   // [B, T], the code before each sample
	Codes    []int32   // [B, T], the code of each sample

	Signal, Prediction, Period []int32 // [B, T], with Config.Prediction (lpc.Inputs)
}

// Net is the training graph of a network on given latents, for one batch shape.
type Net struct {
	In     Inputs
	Nodes  Nodes
	Params G.Nodes // those with gradients, in the order of Config.Trained

	cfg     wavenet.Config
	latents *G.Node // before jitter
	machine *graph.Machine
}

// New builds the graph for b crops of l latents on weights w, which training
// changes in place. The loss is the mean negative log-likelihood.
func New(cfg wavenet.Config, w model.Weights, b, l int) (*Net, error) {
	n, err := build(cfg, w, b, l)
	if err != nil {
		return nil, err
	}
	_, err = n.compile()
	return n, err
}

func build(cfg wavenet.Config, w model.Weights, b, l int) (n *Net, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := model.CheckWeights(w, cfg.Params()); err != nil {
		return nil, err
	}
	defer graph.Recover("wavenet", &err)
	g, t := G.NewGraph(), l*cfg.Upsampling
	n = &Net{cfg: cfg, In: Inputs{
		Latents: make([]float32, b*l*cfg.Dim), Jitter: make([]int32, b*l), Speaker: make([]int32, b),
		Previous: make([]int32, b*t), Codes: make([]int32, b*t),
	}}
	param := map[string]*G.Node{}
	for _, p := range cfg.Trained() {
		param[p.Name] = graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		n.Params = append(n.Params, param[p.Name])
	}
	n.latents = graph.Input(g, "latents", n.In.Latents, b, l, cfg.Dim)
	n.Nodes = Nodes{
		Latents: graph.Jitter(n.latents, graph.Input(g, "jitter", n.In.Jitter, b, l)),
		Speaker: graph.Input(g, "speaker", n.In.Speaker, b), Previous: graph.Input(g, "previous", n.In.Previous, b, t),
		Codes: graph.Input(g, "codes", n.In.Codes, b, t),
	}
	if cfg.Prediction {
		n.In.Signal, n.In.Prediction, n.In.Period = make([]int32, b*t), make([]int32, b*t), make([]int32, b*t)
		n.Nodes.Signal, n.Nodes.Prediction = graph.Input(g, "signal", n.In.Signal, b, t), graph.Input(g, "prediction", n.In.Prediction, b, t)
		n.Nodes.Period = graph.Input(g, "period", n.In.Period, b, t)
	}
	Build(cfg, param, &n.Nodes)
	return n, nil
}

// compile differentiates the mean loss and builds the machine. It returns the
// gradients of further nodes, if asked for.
func (n *Net) compile(further ...*G.Node) (grads G.Nodes, err error) {
	if n.machine, grads, err = graph.Compile(n.Nodes.Mean, n.Params, further...); err != nil {
		return nil, fmt.Errorf("wavenet: %w", err)
	}
	return grads, nil
}

// Loss is the likelihood of one batch.
type Loss struct {
	Nats float64   // negative log-likelihood per sample (nats)
	Bits float64   // the same in bits
	Sums []float64 // summed over the samples of each crop (nats)
}

// Run computes the loss and all gradients of the batch in In.
func (n *Net) Run() (Loss, error) {
	return n.do(n.machine.Run)
}

// Step runs one step of an optimiser such as model/train's Adam on the batch in
// In. The loss is that before the step; if it is not finite the step fails and
// changes nothing.
func (n *Net) Step(s G.Solver) (Loss, error) {
	return n.do(func() error { return n.machine.Step(s) })
}

// do runs the machine on a batch that fits the network.
func (n *Net) do(run func() error) (Loss, error) {
	for _, in := range []struct {
		what   string
		values []int32
		below  int
	}{
		{"speaker", n.In.Speaker, n.cfg.Speakers}, {"previous code", n.In.Previous, wavenet.Levels}, {"code", n.In.Codes, wavenet.Levels},
	} {
		for i, v := range in.values {
			if v < 0 || int(v) >= in.below {
				return Loss{}, fmt.Errorf("wavenet: %s %d of the batch is %d, want 0 to %d", in.what, i, v, in.below-1)
			}
		}
	}
	if err := run(); err != nil {
		return Loss{}, fmt.Errorf("wavenet: %w", err)
	}
	return n.loss(), nil
}

// Close releases the machine.
func (n *Net) Close() error { return n.machine.Close() }

func (n *Net) loss() Loss {
	nll := n.Nodes.NLL.Value().Data().([]float32)
	b := len(n.In.Speaker)
	loss := Loss{Sums: make([]float64, b)}
	t := len(nll) / b
	for i, v := range nll {
		loss.Sums[i/t] += float64(v)
	}
	for _, s := range loss.Sums {
		loss.Nats += s / float64(len(nll))
	}
	loss.Bits = loss.Nats / math.Ln2
	return loss
}
