package dev.seekr.verify;

import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.method.HeadImportance;
import dev.seekr.model.LlamaModel;
import dev.seekr.safetensors.Safetensors;
import java.util.Arrays;

/** Sensitivity, forgettability and importance of every head, in both variants. */
record ImportanceChecks(GoldenCase golden, Safetensors batch, Safetensors expected, Checks checks) {

  void run(LlamaModel teacher, LlamaModel prev) {
    var samples = golden.samples();
    var queries = golden.queries(batch, "queries");
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
}
