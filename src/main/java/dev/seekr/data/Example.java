package dev.seekr.data;

/**
 * One record of a task, as text: what the model is given and what it should say. Neither is blank.
 */
public record Example(String prompt, String answer) {}
