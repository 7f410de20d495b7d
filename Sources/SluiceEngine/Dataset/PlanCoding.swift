internal import SluiceCore
internal import SluiceRecords

/// A table's plan as `plan/<table>.json` holds it.
extension TablePlan {
    func json(dataset: String) -> JSON {
        var members: [JSON.Member] = [.init("dataset", .string(dataset))]
        members += table.members
        members += [
            .init("columns", .array(schema.fields.map(\.json))),
            .init("avro", .string(schema.avro)),
            .init("filter", JSON(filter)),
            .init("estimatedRows", .int(estimatedRows)),
            .init("estimatedBytes", .int(estimatedBytes)),
            .init("owner", owner.map { .object($0.members) } ?? .null),
            .init("definition", definition.json),
            .init("details", details),
            .init("chunks", .array(chunks.map(\.json))),
        ]
        return .object(members)
    }

    init(_ reader: ObjectReader, dataset: String) throws(Failure) {
        guard try reader.text("dataset").utf8.elementsEqual(dataset.utf8) else {
            throw SealedJSON.damaged(reader.key, "it belongs to another dataset")
        }
        var fields: [Field] = []
        for column in try reader.objects("columns") { fields.append(try Field(column)) }
        var chunks: [Chunk] = []
        for chunk in try reader.objects("chunks") { chunks.append(try Chunk(chunk)) }
        guard Chunk.coverAll(chunks) else {
            throw SealedJSON.damaged(reader.key, "its chunks do not cover the table")
        }
        let schema = RecordSchema(table: try reader.tableName(), fields: fields)
        guard try reader.text("avro").utf8.elementsEqual(schema.avro.utf8) else {
            throw SealedJSON.damaged(reader.key, "its Avro schema is not that of its columns")
        }
        var owner: TableName?
        if try reader.any("owner") != .null { owner = try reader.object("owner").tableName() }
        self.init(
            schema: schema,
            definition: try TableDefinition(try reader.object("definition")),
            chunks: chunks,
            filter: try reader.optionalText("filter"),
            estimatedRows: try reader.count("estimatedRows"),
            estimatedBytes: try reader.count("estimatedBytes"),
            owner: owner,
            details: try reader.any("details"))
    }
}

extension Field {
    var json: JSON {
        [
            "name": .string(name.text),
            "field": .string(avroName),
            "type": .string(type.description),
            "nullable": .bool(isNullable),
            "declared": .string(declared),
            "rowid": .bool(isRowid),
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        guard let type = ColumnType(try reader.text("type")) else {
            throw SealedJSON.damaged(reader.key, "it names an unknown column type")
        }
        self.init(
            name: try reader.name("name"), avroName: try reader.text("field"), type: type,
            isNullable: try reader.flag("nullable"), declared: try reader.text("declared"),
            isRowid: try reader.flag("rowid"))
    }
}

extension Chunk {
    var json: JSON {
        [
            "chunk": .int(number),
            "lower": lower.map { .array($0.map(JSON.string)) } ?? .null,
            "upper": upper.map { .array($0.map(JSON.string)) } ?? .null,
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        self.init(
            number: try reader.count("chunk"), lower: try reader.optionalTexts("lower"),
            upper: try reader.optionalTexts("upper"))
    }
}

extension TableDefinition {
    var json: JSON {
        [
            "columns": .array(columns.map(\.json)),
            "primaryKey": .names(primaryKey),
            "indexes": .array(
                indexes.map { index in
                    [
                        "name": .string(index.name.text), "columns": .names(index.columns),
                        "unique": .bool(index.isUnique),
                    ]
                }),
            "foreignKeys": .array(foreignKeys.map(\.json)),
            "omissions": .array(omissions.map(JSON.string)),
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        self.init(columns: [])
        for column in try reader.objects("columns") { columns.append(try Column(column)) }
        primaryKey = try reader.names("primaryKey")
        for index in try reader.objects("indexes") {
            indexes.append(
                Index(
                    name: try index.name("name"), columns: try index.names("columns"),
                    isUnique: try index.flag("unique")))
        }
        for key in try reader.objects("foreignKeys") { foreignKeys.append(try ForeignKey(key)) }
        omissions = try reader.texts("omissions")
    }
}

extension TableDefinition.Column {
    var json: JSON {
        [
            "name": .string(name.text),
            "declared": .string(declared),
            "nullable": .bool(isNullable),
            "default": JSON(defaultLiteral),
            "generated": .bool(isGenerated),
            "identity": .bool(isIdentity),
            "comment": JSON(comment),
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        self.init(
            name: try reader.name("name"), declared: try reader.text("declared"),
            isNullable: try reader.flag("nullable"),
            defaultLiteral: try reader.optionalText("default"),
            isGenerated: try reader.flag("generated"), isIdentity: try reader.flag("identity"),
            comment: try reader.optionalText("comment"))
    }
}

extension TableDefinition.ForeignKey {
    var json: JSON {
        [
            "name": JSON(name?.text),
            "columns": .names(columns),
            "references": .object(table.members),
            "otherColumns": .names(otherColumns),
            "onDelete": .string(onDelete),
            "onUpdate": .string(onUpdate),
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        self.init(
            name: try reader.optionalText("name").map { Name($0) },
            columns: try reader.names("columns"),
            table: try reader.object("references").tableName(),
            otherColumns: try reader.names("otherColumns"),
            onDelete: try reader.text("onDelete"), onUpdate: try reader.text("onUpdate"))
    }
}

extension SchemaText {
    /// As `schema/objects.json` holds it.
    func json(dataset: String) -> JSON {
        [
            "dataset": .string(dataset),
            "engine": .string(engine),
            "settings": settings,
            "objects": .array(
                objects.map { object in
                    var members: [JSON.Member] = [.init("kind", .string(object.kind))]
                    members += object.name.members
                    members.append(.init("of", object.table.map { .object($0.members) } ?? .null))
                    members.append(.init("sql", .string(object.sql)))
                    return .object(members)
                }),
        ]
    }

    init(_ reader: ObjectReader) throws(Failure) {
        self.init(
            engine: try reader.text("engine"), objects: [], settings: try reader.any("settings"))
        for object in try reader.objects("objects") {
            var table: TableName?
            if try object.any("of") != .null { table = try object.object("of").tableName() }
            objects.append(
                Object(
                    kind: try object.text("kind"), name: try object.tableName(), table: table,
                    sql: try object.text("sql")))
        }
    }

    /// As `schema/schema.sql` holds it: for people.
    var script: String {
        objects.map { $0.sql + ";\n" }.joined()
    }
}

extension JSON {
    static func names(_ names: [Name]) -> JSON { .array(names.map { .string($0.text) }) }
}
