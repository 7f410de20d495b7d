internal import SluiceCore
internal import SluiceEngine

extension Invocation {
    /// Opens what the command needs and hands it to the engine.
    func perform() throws(Failure) -> Outcome {
        switch values.command {
        case .run: try run.run(from: source(), through: store(), into: target())
        case .export: try run.export(from: source(), to: store())
        case .load: try run.load(from: store(), into: target())
        case .verify: try run.verify(target(), against: store())
        case .plan: try run.plan(source(), for: optionalTarget())
        case .status where values.text(.store) == nil: try run.status(of: source())
        case .status:
            try run.status(
                of: store(), source: optionalSource(), target: optionalTarget(),
                releases: values.flag(.release))
        case .inspect:
            try run.inspect(
                store(), table: values.text(.table), shard: values.text(.shard),
                head: values.number(.head))
        case .handoff:
            try run.handoff(
                store(), for: values.text(.form) ?? "", by: Drivers.handoff)
        case .prune:
            try run.prune(
                storeOfAllTimes(), keep: values.number(.keep) ?? 1, isDryRun: values.flag(.dryRun))
        case .doctor:
            try run.doctor(
                source: optionalSource(), store: optionalStore(), target: optionalTarget(),
                window: values.duration(.timeLimit) ?? Invocation.usualWindow)
        }
    }
}
