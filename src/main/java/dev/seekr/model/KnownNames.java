package dev.seekr.model;

import dev.seekr.disk.ConfigFields;

/** Fields of a model's files that are known, though nothing is read of them. */
final class KnownNames {
  /** Where a model comes from. */
  private static final String ORIGIN =
      """
      architectures transformers_version name_or_path transformers.js_config unsloth_version
      unsloth_fixed is_llama_config
      """;

  /** What it was stored as, how it was begun, and how other programs hold and run it. */
  private static final String RUNNING =
      """
      torch_dtype dtype initializer_range use_cache pretraining_tp output_attentions
      output_hidden_states return_dict attn_implementation torchscript use_bfloat16
      tf_legacy_loss is_decoder tie_encoder_decoder
      """;

  /** Of tokens, which the tokenizer's own files tell, and of other tasks than language. */
  private static final String ELSEWHERE =
      """
      unk_token_id sep_token_id decoder_start_token_id tokenizer_class prefix max_sequence_length
      model_max_length id2label label2id num_labels problem_type finetuning_task
      task_specific_params
      """;

  /** How other programs go about decoding, with the same outcome. */
  private static final String DECODING =
      """
      use_cache cache_implementation cache_config max_cache_len return_legacy_cache
      prefill_chunk_size disable_compile compile_config continuous_batching_config low_memory
      output_attentions output_hidden_states output_logits is_assistant num_assistant_tokens
      num_assistant_tokens_schedule assistant_confidence_threshold assistant_early_exit
      assistant_lookbehind assistant_ensemble_weight target_lookbehind prompt_lookup_num_tokens
      max_matching_ngram_size max_time speculation_type use_mtp decoder_start_token_id
      chat_format max_window_size
      """;

  /**
   * Advice that has no say here: answers are as long as the settings say, and made of the likeliest
   * tokens.
   */
  private static final String ADVICE =
      """
      max_length max_new_tokens do_sample temperature top_k top_p min_p top_h typical_p
      epsilon_cutoff eta_cutoff num_return_sequences early_stopping length_penalty output_scores
      return_dict_in_generate remove_invalid_values renormalize_logits
      """;

  private KnownNames() {}

  /** Of config.json, beside what describes the model. */
  static void ofConfig(ConfigFields fields) {
    if (fields.has("quantization_config"))
      throw fields.wrong(
          "quantization_config", "none: save the model in float32, float16 or bfloat16 first");
    fields.harmless(ORIGIN);
    fields.harmless(RUNNING);
    fields.harmless(ELSEWHERE);
    fields.only("attention_dropout hidden_dropout chunk_size_feed_forward", 0);
    fields.only("is_encoder_decoder add_cross_attention rope_interleaved use_mrope", false);
    fields.only("pruned_heads", "{}");
    decoding(fields);
  }

  /** Of generation_config.json. */
  static void ofGeneration(ConfigFields fields) {
    fields.harmless(ORIGIN);
    fields.harmless(DECODING);
    decoding(fields);
  }

  /** Advice on decoding, which older models have in config.json. */
  private static void decoding(ConfigFields fields) {
    fields.harmless(ADVICE);
    fields.only(
        "num_beams num_beam_groups repetition_penalty encoder_repetition_penalty guidance_scale",
        1);
    fields.only("min_length min_new_tokens no_repeat_ngram_size", 0);
    fields.only("encoder_no_repeat_ngram_size diversity_penalty penalty_alpha", 0);
    fields.only("token_healing", false);
    fields.only(
        "suppress_tokens begin_suppress_tokens bad_words_ids force_words_ids constraints", "[]");
    fields.only(
        """
        forced_bos_token_id forced_eos_token_id exponential_decay_length_penalty sequence_bias
        stop_strings watermarking_config dola_layers
        """,
        "null");
  }
}
