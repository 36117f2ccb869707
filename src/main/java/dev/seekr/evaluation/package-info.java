/**
 * How good a model is at the tasks: {@link Answering} generates, a {@link Metric} scores, {@link
 * ScoreMatrix} holds every task after every task, from which performance, transfer and forgetting
 * follow.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.state}, {@code dev.seekr.distributed}, {@code dev.seekr.ops},
 * {@code dev.seekr.tokenizer}, {@code dev.seekr.data}, {@code dev.seekr.model}.
 */
package dev.seekr.evaluation;
