/**
 * How good a model still is at what no task taught it: MMLU, GSM8K, BBH, TyDiQA, BoolQ and PIQA,
 * asked and scored as lm-evaluation-harness does.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.state}, {@code dev.seekr.distributed}, {@code dev.seekr.tokenizer}, {@code
 * dev.seekr.data}, {@code dev.seekr.model}, {@code dev.seekr.evaluation}.
 */
package dev.seekr.general;
