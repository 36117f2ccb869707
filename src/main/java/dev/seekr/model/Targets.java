package dev.seekr.model;

/**
 * Tokens held against what a model says of them.
 *
 * @param logLikelihoods [R] natural logarithm of each token's probability
 * @param best [R] whether greedy decoding would have chosen it
 */
public record Targets(double[] logLikelihoods, boolean[] best) {}
