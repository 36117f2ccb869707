package dev.seekr.verify;

import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.SampledQueries;
import dev.seekr.method.HeadImportance;
import dev.seekr.model.LlamaModel;
import dev.seekr.tensor.Safetensors;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Sensitivity, forgettability and importance of every head, in both variants. */
record ImportanceChecks(GoldenCase golden, Safetensors batch, Safetensors expected, Checks checks) {

  void run(LlamaModel teacher, LlamaModel prev) {
    var samples = golden.samples();
    var queries = queries(batch.get("queries"));
    int all = Integer.MAX_VALUE;
    compare("s_fro", HeadImportance.sensitivity(teacher, samples, all).norm());
    compare("f_rows", HeadImportance.change(teacher, prev, samples, queries, all).norm());
    var paper = HeadImportance.scores(Variant.paper, teacher, prev, samples, queries, all);
    compare("s_paper", paper.s());
    compare("f_full", paper.f());
    compare("i_paper", product(paper));
    var released = HeadImportance.scores(Variant.released, teacher, prev, samples, queries, all);
    compare("s_official", released.s());
    compare("f_official", released.f());
    compare("i_official", product(released));
  }

  private void compare(String name, double[][] actual) {
    double[] flat = Arrays.stream(actual).flatMapToDouble(Arrays::stream).toArray();
    checks.elements(
        "importance." + name, flat, expected.get("importance." + name).toDoubles(), Golden.TENSOR);
  }

  static double[][] product(HeadImportance.Scores scores) {
    double[][] i = new double[scores.s().length][];
    for (int l = 0; l < i.length; l++) {
      i[l] = new double[scores.s()[l].length];
      for (int h = 0; h < i[l].length; h++) i[l][h] = scores.s()[l][h] * scores.f()[l][h];
    }
    return i;
  }

  /** queries [B,budget] as drawn. */
  static List<SampledQueries> queries(Tensor drawn) {
    int budget = (int) drawn.dim(1);
    int[] flat = drawn.toInts();
    var queries = new ArrayList<SampledQueries>();
    for (int b = 0; b < drawn.dim(0); b++)
      queries.add(SampledQueries.of(Arrays.copyOfRange(flat, b * budget, (b + 1) * budget)));
    return queries;
  }
}
