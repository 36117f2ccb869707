/**
 * Training: {@link Learner} is one step of the optimiser, {@link StagePlan} the steps of a task,
 * {@link RunState} all that a run is, {@link Trainer} goes through it. It knows no method by name,
 * writes no file and prints nothing: a {@link RunListener} hears what happens.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.safetensors}, {@code dev.seekr.state}, {@code
 * dev.seekr.distributed}, {@code dev.seekr.ops}, {@code dev.seekr.data}, {@code dev.seekr.model},
 * {@code dev.seekr.method}, {@code dev.seekr.evaluation}, {@code dev.seekr.general}, {@code
 * dev.seekr.report}.
 */
package dev.seekr.trainer;
