package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	imagemodel "vqspeech/model/image"
	"vqspeech/recipes"
)

// TestImageRecipes runs every recipe of images on a miniature of its corpus:
// prepare, two steps of train, the measures of the test split.
func TestImageRecipes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recipesFolder, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	data, tempDir, ran := map[string]string{}, t.TempDir(), 0
	for _, path := range files {
		if kindOf(t, path) != recipes.KindImage {
			continue
		}
		ran++
		recipe, err := recipes.Load(path, recipes.ParseImage)
		if err != nil {
			t.Error(err)
			continue
		}
		corpus := filepath.Base(filepath.Dir(path))
		measures := []string{"loss"}
		if corpus != "celebamask" { // labels have no squares
			measures = append(measures, "mse_x1000")
		}
		if recipe.Decoder.Kind != imagemodel.GaussianDecoder {
			measures = append(measures, "pixel_error")
		}
		if recipe.Quantizer.Kind != imagemodel.VAE {
			measures = append(measures, "perplexity", "batch_perplexity", "used_codes")
		}
		t.Run(corpus+"/"+filepath.Base(path), func(t *testing.T) {
			if data[corpus] == "" {
				src, dst := t.TempDir(), filepath.Join(tempDir, corpus)
				if err := makeImages([]string{corpus, src}); err != nil {
					t.Fatal(err)
				}
				program(t, "prepare", corpus, src, dst)
				data[corpus] = dst
			}
			run := filepath.Join(t.TempDir(), "run")
			args := []string{"train", path, "--data", data[corpus], "--run", run, "--json"}
			for _, set := range []string{
				"model.res_blocks=1", "quantizer.codebook_size=8", "quantizer.codebook_dim=4",
				"train.max_steps=2", "train.batch_size=2", "train.log_every=1",
			} {
				args = append(args, "--set", set)
			}
			var r struct {
				Model  string
				Steps  int
				Test   map[string]float64
				Images map[string]int
			}
			if err := json.Unmarshal(program(t, args...), &r); err != nil {
				t.Fatal(err)
			}
			if r.Steps != 2 || r.Images["train"] == 0 || r.Images["valid"] == 0 || r.Images["test"] == 0 {
				t.Errorf("%+v", r)
			}
			for _, m := range measures {
				if v, ok := r.Test[m]; !ok || math.IsNaN(v) || math.IsInf(v, 0) || v == 0 {
					t.Errorf("%s is %v", m, v)
				}
			}
			if _, err := os.Stat(r.Model); err != nil {
				t.Error(err)
			}
		})
	}
	if ran == 0 {
		t.Error("no recipes of images")
	}
}

// program runs vqspeech and returns what it prints.
func program(t *testing.T, args ...string) []byte {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"vqspeech"}, args...), Stdout: &stdout, Stderr: &stderr} // the name makes the test binary the program
	if err := cmd.Run(); err != nil {
		t.Fatalf("vqspeech %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return stdout.Bytes()
}

// makeImages CORPUS DIR writes a tiny corpus of images in its own layout.
func makeImages(args []string) error {
	maker, ok := map[string]func(dir string) error{
		"mnist": makeMNIST, "fashion-mnist": makeMNIST, "cifar10": makeCIFAR, "celeba": makeCelebA, "celebamask": makeCelebAMask,
	}[args[0]]
	if !ok {
		return fmt.Errorf("no corpus %q", args[0])
	}
	return maker(args[1])
}

func writeFile(data []byte, path ...string) error {
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o666)
}

// makeMNIST writes 120 + 10 images: class k has a bar at column 2k+2.
func makeMNIST(dir string) error {
	for name, n := range map[string]int{"train": 120, "t10k": 10} {
		images := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 3}, uint32(n))
		images = append(images, 0, 0, 0, 28, 0, 0, 0, 28)
		labels := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 1}, uint32(n))
		for i := range n {
			labels = append(labels, byte(i%10))
			for p := range 28 * 28 {
				v := byte(0)
				if x := p % 28; x/2 == i%10+1 && p/28 > i%7 {
					v = byte(255 - i)
				}
				images = append(images, v)
			}
		}
		for file, data := range map[string][]byte{name + "-images-idx3-ubyte.gz": images, name + "-labels-idx1-ubyte.gz": labels} {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(data); err != nil {
				return err
			}
			if err := z.Close(); err != nil {
				return err
			}
			if err := writeFile(b.Bytes(), dir, file); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeCIFAR writes six batches of four images.
func makeCIFAR(dir string) error {
	for _, name := range []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"} {
		var b []byte
		for i := range 4 {
			b = append(b, byte(i))
			for p := range 3 * 32 * 32 {
				b = append(b, byte(p*(i+1)))
			}
		}
		if err := writeFile(b, dir, "cifar-10-batches-bin", name+".bin"); err != nil {
			return err
		}
	}
	return nil
}

// makeCelebA writes six photographs: three to train, one to validate, two to test.
func makeCelebA(dir string) error {
	list := ""
	for i, part := range []int{0, 0, 0, 1, 2, 2} {
		img := image.NewRGBA(image.Rect(0, 0, 178, 218))
		for y := range 218 {
			for x := range 178 {
				img.Set(x, y, color.RGBA{byte(x + i), byte(y), byte(40 * i), 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			return err
		}
		name := fmt.Sprintf("%06d.jpg", i+1)
		if err := writeFile(b.Bytes(), dir, "img_align_celeba", name); err != nil {
			return err
		}
		list += fmt.Sprintf("%s %d\n", name, part)
	}
	return writeFile([]byte(list), dir, "list_eval_partition.txt")
}

// makeCelebAMask writes four faces of skin, hair and a mouth.
func makeCelebAMask(dir string) error {
	list := "idx orig_idx orig_file\n"
	for i, original := range []int{5, 6, 162771, 182638} {
		list += fmt.Sprintf("%d %d %06d.jpg\n", i, original, original+1)
		for part, r := range map[string]image.Rectangle{
			"skin": image.Rect(100, 100, 400, 450), "hair": image.Rect(80, 60+10*i, 420, 160), "mouth": image.Rect(200, 350, 300, 380),
		} {
			img := image.NewGray(image.Rect(0, 0, 512, 512))
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					img.SetGray(x, y, color.Gray{Y: 255})
				}
			}
			var b bytes.Buffer
			if err := png.Encode(&b, img); err != nil {
				return err
			}
			if err := writeFile(b.Bytes(), dir, "CelebAMask-HQ-mask-anno", "0", fmt.Sprintf("%05d_%s.png", i, part)); err != nil {
				return err
			}
		}
	}
	return writeFile([]byte(list), dir, "CelebA-HQ-to-CelebA-mapping.txt")
}
