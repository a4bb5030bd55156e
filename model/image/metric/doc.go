// Package metric measures images and maps of class labels against their
// references, and the codes that images became: mean squared error, pixel error
// and mIoU, perplexity per batch, and the Fréchet distance of features (FID).
// All figures pool over a whole test set; none is a mean of means of batches,
// except the perplexity that says so. Products and eigenvalues of covariances are
// gonum's.
package metric
