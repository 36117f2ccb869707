package dev.seekr.method;

/**
 * Sequential fine-tuning: task after task, nothing kept. The lower bound every method is measured
 * against.
 */
public record SeqFT(Setup setup) implements Method {}
