package dev.seekr.method;

import dev.seekr.disk.Disk;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Weights;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;

/**
 * The model before a stage, which is needed when it ends, to see which heads moved; until then its
 * weights lie on disk, unless what is trained stands beside them.
 */
final class WeightsBefore implements Stateful {
  /** A stage that is not under way. */
  private static final int NO_STAGE = -1;

  private final Setup setup;
  private int stage = NO_STAGE; // the stage whose model of before lies on disk
  private Fingerprint written; // of that file

  WeightsBefore(Setup setup) {
    this.setup = setup;
  }

  private boolean onDisk() {
    return !setup.trainable().knowsBefore();
  }

  /** Before the first step of a stage. */
  void begin(Method.Context context) {
    if (!onDisk() || setup.plan()) return;
    Path file = setup.folder().previous(context.index());
    setup
        .all()
        .first(
            () -> {
              Disk.makeFolder(file.getParent());
              var content = SafetensorsWriter.content(setup.model().weights.byName());
              written = Disk.write(file, content);
            });
    if (!setup.all().first()) written = Reading.fingerprint(file);
    stage = context.index();
  }

  /** That model, which the caller closes; weights that lay on disk come into {@code memory}. */
  LlamaModel model(Method.Context context, Memory memory) {
    if (!onDisk()) return setup.trainable().before();
    LlamaModel after = setup.model();
    var weights = new Weights(after.config, after.ops(), memory, "previous weights");
    if (!setup.plan()) {
      Path file = setup.folder().previous(context.index());
      written.require(file);
      ModelFolder.load(file, weights, after.ops());
    }
    return after.like(weights);
  }

  /** The stage is over. */
  void end() {
    stage = NO_STAGE;
  }

  /** Bytes on disk while a stage lasts. */
  static long bytes(Setup setup) {
    return setup.trainable().knowsBefore() ? 0 : setup.model().weights.flat().bytes();
  }

  @Override
  public void save(StateWriter to) {
    to.put("previous", stage);
    if (stage != NO_STAGE) to.file(setup.folder().previous(stage));
  }

  @Override
  public void load(StateReader from) {
    stage = (int) from.whole("previous", NO_STAGE, Integer.MAX_VALUE - 1);
    if (stage != NO_STAGE) written = Reading.fingerprint(setup.folder().previous(stage));
  }
}
