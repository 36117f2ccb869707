package dev.seekr.general;

/**
 * What a model gave to a question.
 *
 * @param likelihoods log-likelihood of each choice; null where there were none
 * @param greedy whether greedy decoding gives the choice; null where there were none
 * @param text the answer in its own words; null where there were choices
 */
public record Given(double[] likelihoods, boolean[] greedy, String text) {}
