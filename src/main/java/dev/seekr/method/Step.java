package dev.seekr.method;

/**
 * What an optimiser step comprises in all its micro-batches: token losses are divided by {@code
 * targets} and sample losses by {@code samples}, once, however the step is cut into passes.
 */
public record Step(int targets, int samples) {}
