package dev.seekr.run;

import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Appender;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.general.SetResult;
import dev.seekr.method.Step;
import dev.seekr.report.EventFile;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.trainer.RunListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Writes a run's numbers for TensorBoard, a file an attempt. Steps are counted over all tasks. What
 * was written after a checkpoint is taken away when the run goes on from there, and the new file
 * says so to a TensorBoard that has read it already.
 */
final class EventsListener implements RunListener, Stateful, AutoCloseable {
  private final RunFolder folder;
  private final RunConfig config;
  private final int attempt;
  private final Map<String, Long> earlier = new LinkedHashMap<>(); // bytes by names of files
  private EventFile file; // null: nothing has happened yet
  private int stage; // that the last step was in, from 0
  private long base, last; // steps before that stage, and in all

  EventsListener(RunFolder folder, RunConfig config, int attempt) {
    this.folder = folder;
    this.config = config;
    this.attempt = attempt;
  }

  @Override
  public void begins(List<String> tasks, long parameters) {
    tidy(); // of an attempt that never came to a checkpoint
    open();
    file.text("configuration", "```yaml\n" + ConfigWriter.write(config) + "```\n");
  }

  @Override
  public void goesOn(String place) {
    open();
    file.begins(last + 1);
  }

  private void open() {
    Disk.makeFolder(folder.events());
    file = new EventFile(folder.events().resolve(name()));
  }

  /** TensorBoard reads the files of a folder in the order of their names. */
  private String name() {
    return "events.out.tfevents.%010d.seekr".formatted(attempt);
  }

  /** What is written of a run up to its last checkpoint stays, all else goes. */
  private void tidy() {
    if (!Files.isDirectory(folder.events())) return;
    for (Path path : Reading.list(folder.events())) {
      Long bytes = earlier.get(path.getFileName().toString());
      if (bytes == null) Disk.delete(path);
      else if (Reading.size(path) > bytes)
        try (var longer = new Appender(path)) {
          longer.cut(bytes);
        }
    }
  }

  /** The number of a step of a stage among all. */
  private long at(Stage of, int step) {
    if (of.index() != stage) base = last;
    stage = of.index();
    return base + step;
  }

  @Override
  public void step(Step step) {
    last = at(step.stage(), step.number());
    if (step.number() % config.run().logEvery() == 0) write(step);
  }

  @Override
  public void notFinite(Step step, String what) {
    last = at(step.stage(), step.number());
    write(step);
  }

  private void write(Step step) {
    var values = new LinkedHashMap<String, Double>();
    var losses = step.result().losses();
    values.put("loss/total", losses.total());
    losses.means().forEach((term, mean) -> values.put("loss/" + term, mean));
    values.put("train/lr", step.lr());
    values.put("train/grad_norm", step.result().gradNorm());
    values.put("train/tokens_per_second", step.result().tokens() / step.seconds());
    file.scalars(last, values);
  }

  @Override
  public void validated(Stage stage, int epoch, double loss, int best) {
    file.scalars(last, Map.of("validation/loss", loss));
  }

  @Override
  public void evaluatedBefore(Evaluator.Result result, ScoreMatrix scores) {
    score(result, 0);
  }

  @Override
  public void evaluatedAt(Stage stage, int step, Evaluator.Result result) {
    score(result, last);
  }

  @Override
  public void evaluated(Stage stage, Evaluator.Result result, ScoreMatrix scores) {
    score(result, last);
  }

  private void score(Evaluator.Result result, long step) {
    file.scalars(step, Map.of("score/" + result.task(), result.score()));
  }

  @Override
  public void asked(int row, String after, SetResult result, ScoreMatrix scores) {
    file.scalars(last, Map.of("general/" + result.set().name(), result.score()));
  }

  @Override
  public void ends(Outcome outcome) {
    var values = new LinkedHashMap<String, Double>();
    outcome.scores().op().ifPresent(v -> values.put("result/OP", v));
    outcome.scores().bwt().ifPresent(v -> values.put("result/BWT", v));
    outcome.scores().forwardTransfer().ifPresent(v -> values.put("result/FWT", v));
    if (!values.isEmpty()) file.scalars(last, values);
  }

  @Override
  public void save(StateWriter to) {
    var all = new LinkedHashMap<>(earlier);
    all.put(name(), file.force());
    to.put("files", all.keySet());
    to.put("bytes", all.values());
    to.put("stage", stage);
    to.put("base", base);
    to.put("last", last);
  }

  @Override
  public void load(StateReader from) {
    String[] names = from.get("files", String[].class);
    long[] bytes = from.get("bytes", long[].class);
    if (bytes.length != names.length || LongStream.of(bytes).anyMatch(n -> n < 0))
      throw from.wrong("bytes", names.length + " numbers from 0 on");
    for (int i = 0; i < names.length; i++) earlier.put(names[i], bytes[i]);
    stage = (int) from.whole("stage", 0, Integer.MAX_VALUE);
    base = from.whole("base", 0, Long.MAX_VALUE);
    last = from.whole("last", base, Long.MAX_VALUE - 1);
    tidy();
  }

  @Override
  public void close() {
    if (file != null) file.close();
  }
}
