BEGIN TRANSACTION;
CREATE TABLE ai_results (
	session_id VARCHAR(36) NOT NULL, 
	item_id VARCHAR(36), 
	image_id VARCHAR(36), 
	heatmap_image_id VARCHAR(36), 
	pipeline_id VARCHAR(36), 
	pipeline_version INTEGER, 
	model_sha256 VARCHAR(64), 
	overall_result VARCHAR(32) NOT NULL, 
	confidence DOUBLE NOT NULL, 
	anomaly_score DOUBLE, 
	threshold DOUBLE, 
	detections JSON NOT NULL, 
	reasons JSON NOT NULL, 
	steps JSON NOT NULL, 
	processing_time_ms DOUBLE NOT NULL, 
	device_id VARCHAR(64) NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, 
	CONSTRAINT pk_ai_results PRIMARY KEY (id), 
	CONSTRAINT fk_ai_results_heatmap_image_id_images FOREIGN KEY(heatmap_image_id) REFERENCES images (id), 
	CONSTRAINT fk_ai_results_image_id_images FOREIGN KEY(image_id) REFERENCES images (id), 
	CONSTRAINT fk_ai_results_item_id_inspection_items FOREIGN KEY(item_id) REFERENCES inspection_items (id), 
	CONSTRAINT fk_ai_results_pipeline_id_pipelines FOREIGN KEY(pipeline_id) REFERENCES pipelines (id), 
	CONSTRAINT fk_ai_results_session_id_inspection_sessions FOREIGN KEY(session_id) REFERENCES inspection_sessions (id)
);
INSERT INTO "ai_results" VALUES('01a2281c-3aef-707c-8b5b-4b623cff1612',NULL,'01a2281c-3aef-707c-8b5b-4b6381805c4d',NULL,NULL,NULL,NULL,'OK',0.75,3.00000000000000044408e-01,NULL,'[]','[]','[]',0.0,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3aef-707c-8b5b-4b6413b5a8a9','2026-11-29 16:21:08.463000',6,'1760000000004-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "ai_results" VALUES('01a2281c-3b5f-7618-978b-981119af44df',NULL,'01a2281c-3b5f-7618-978b-98128263578d',NULL,NULL,NULL,NULL,'OK',0.75,3.00000000000000044408e-01,NULL,'[]','[]','[]',0.0,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3b5f-7618-978b-981323d65a08','2026-11-29 16:21:08.575000',12,'1760000000010-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "ai_results" VALUES('01a2281c-3cfc-75ea-bd15-a338c41ae353',NULL,'01a2281c-3cfc-75ea-bd15-a3394118b841',NULL,NULL,NULL,NULL,'OK',0.75,3.00000000000000044408e-01,NULL,'[]','[]','[]',0.0,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3cfc-75ea-bd15-a33a974839b5','2026-11-29 16:21:08.988000',NULL,'1760000000016-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "ai_results" VALUES('01a2281c-3d43-76ab-a7c1-d1023db6dadc',NULL,'01a2281c-3d43-76ab-a7c1-d1037a05a1ec',NULL,NULL,NULL,NULL,'OK',0.75,3.00000000000000044408e-01,NULL,'[]','[]','[]',0.0,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3d43-76ab-a7c1-d104b59c56b2','2026-11-29 16:21:09.059000',NULL,'1760000000022-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE api_keys (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	key_digest VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	revoked_at DATETIME, search_text TEXT DEFAULT '' NOT NULL, created_by VARCHAR(64) DEFAULT '' NOT NULL, created_by_id VARCHAR(36), 
	CONSTRAINT pk_api_keys PRIMARY KEY (id), 
	CONSTRAINT uq_api_keys_key_digest UNIQUE (key_digest)
);
CREATE TABLE applied_changes (
	change_id VARCHAR(36) NOT NULL, 
	device_id VARCHAR(64) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	rev BIGINT, 
	applied_at DATETIME NOT NULL, 
	CONSTRAINT pk_applied_changes PRIMARY KEY (change_id)
);
CREATE TABLE audit_entries (
	sequence BIGINT NOT NULL, 
	actor VARCHAR(64) NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	subject VARCHAR(64) NOT NULL, 
	subject_id VARCHAR(64) NOT NULL, 
	detail JSON NOT NULL, 
	previous_digest VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	device_id VARCHAR(64) NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, 
	CONSTRAINT pk_audit_entries PRIMARY KEY (id)
);
CREATE TABLE audit_heads (
	device_id VARCHAR(64) NOT NULL, 
	sequence BIGINT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_heads PRIMARY KEY (device_id)
);
CREATE TABLE auth_sessions (
	id VARCHAR(36) NOT NULL, 
	user_id VARCHAR(36) NOT NULL, 
	device_id VARCHAR(64), 
	refresh_digest VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	revoked_at DATETIME, 
	CONSTRAINT pk_auth_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_auth_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT uq_auth_sessions_refresh_digest UNIQUE (refresh_digest)
);
CREATE TABLE blobs (
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	content_type VARCHAR(64) NOT NULL, 
	present BOOLEAN NOT NULL, 
	uploaded_at DATETIME, 
	received_bytes BIGINT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_blobs PRIMARY KEY (sha256)
);
INSERT INTO "blobs" VALUES('435b2fd184a5eefb4847125027e8e105a03bca5237d18eedbca9549da7e31106',8,'image/png',1,'2026-11-29 16:21:08.959000',0,'2026-11-29 16:21:08.465000');
INSERT INTO "blobs" VALUES('372e58ffcc75f7d16731a4b40dca3d27da4cbbef845ef1634a10fe52997e8527',8,'image/png',1,'2026-11-29 16:21:08.927000',0,'2026-11-29 16:21:08.576000');
INSERT INTO "blobs" VALUES('44db1d7f7c12857f6f4eebe8c04e3eac8eb4bf4ce55e5dd28e1631b966d99e36',8,'image/png',1,NULL,0,'2026-11-29 16:21:08.989000');
INSERT INTO "blobs" VALUES('d649c33822e5dee5cc57226303bda7f6e57e18b7d50bf91dc482f450126975d5',8,'image/png',1,NULL,0,'2026-11-29 16:21:09.060000');
CREATE TABLE change_log (
	position BIGINT NOT NULL, 
	change_id VARCHAR(36) NOT NULL, 
	entity VARCHAR(64) NOT NULL, 
	entity_id VARCHAR(36) NOT NULL, 
	op VARCHAR(32) NOT NULL, 
	fields JSON NOT NULL, 
	clock VARCHAR(96) NOT NULL, 
	device_id VARCHAR(64), 
	scope_device_id VARCHAR(64), 
	committed_at DATETIME NOT NULL, 
	CONSTRAINT pk_change_log PRIMARY KEY (position)
);
CREATE TABLE change_log_head (
	id INTEGER NOT NULL, 
	position BIGINT NOT NULL, 
	CONSTRAINT pk_change_log_head PRIMARY KEY (id)
);
CREATE TABLE defect_classes (
	code VARCHAR(64) NOT NULL, 
	name_en VARCHAR(200) NOT NULL, 
	name_ja VARCHAR(200) NOT NULL, 
	severity VARCHAR(16) NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, search_text TEXT DEFAULT '' NOT NULL, name_key VARCHAR(255) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_defect_classes PRIMARY KEY (id)
);
CREATE TABLE devices (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	status VARCHAR(32) NOT NULL, 
	credential_digest VARCHAR(64) NOT NULL, 
	enrolled_at DATETIME NOT NULL, 
	last_seen_at DATETIME, search_text TEXT DEFAULT '' NOT NULL, token_generation INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_devices PRIMARY KEY (id)
);
CREATE TABLE enrolment_codes (
	id VARCHAR(36) NOT NULL, 
	code_digest VARCHAR(64) NOT NULL, 
	device_name VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, device_id VARCHAR(36), withdrawn_at DATETIME, search_text TEXT DEFAULT '' NOT NULL, created_by VARCHAR(64) DEFAULT '' NOT NULL, created_by_id VARCHAR(36), 
	CONSTRAINT pk_enrolment_codes PRIMARY KEY (id), 
	CONSTRAINT uq_enrolment_codes_code_digest UNIQUE (code_digest)
);
CREATE TABLE human_verifications (
	session_id VARCHAR(36) NOT NULL, 
	item_id VARCHAR(36), 
	ai_result_id VARCHAR(36), 
	user_id VARCHAR(36), 
	username VARCHAR(64) NOT NULL, 
	verdict VARCHAR(32) NOT NULL, 
	defects JSON NOT NULL, 
	comment TEXT NOT NULL, 
	seconds DOUBLE, 
	device_id VARCHAR(64) NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, 
	CONSTRAINT pk_human_verifications PRIMARY KEY (id), 
	CONSTRAINT fk_human_verifications_ai_result_id_ai_results FOREIGN KEY(ai_result_id) REFERENCES ai_results (id), 
	CONSTRAINT fk_human_verifications_item_id_inspection_items FOREIGN KEY(item_id) REFERENCES inspection_items (id), 
	CONSTRAINT fk_human_verifications_session_id_inspection_sessions FOREIGN KEY(session_id) REFERENCES inspection_sessions (id), 
	CONSTRAINT fk_human_verifications_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "human_verifications" VALUES('01a2281c-3aef-707c-8b5b-4b623cff1612',NULL,NULL,NULL,'','NG','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3b25-7250-89c0-bba5d17a54b5','2026-11-29 16:21:08.517000',7,'1760000000005-0000-01a2281c-3957-7090-8410-73cb382e7f21','{"of_a_newer_schema": 0}');
INSERT INTO "human_verifications" VALUES('01a2281c-3aef-707c-8b5b-4b623cff1612',NULL,NULL,NULL,'','OK','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3b33-75b1-b4be-f8b970e9fc67','2026-11-29 16:21:08.531000',9,'1760000000007-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "human_verifications" VALUES('01a2281c-3b5f-7618-978b-981119af44df',NULL,NULL,NULL,'','NG','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3b7a-72cc-bc95-1fea0c57de51','2026-11-29 16:21:08.602000',13,'1760000000011-0000-01a2281c-3957-7090-8410-73cb382e7f21','{"of_a_newer_schema": 1}');
INSERT INTO "human_verifications" VALUES('01a2281c-3b5f-7618-978b-981119af44df',NULL,NULL,NULL,'','OK','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3b8e-75e5-a1c4-32d2652c8bd7','2026-11-29 16:21:08.622000',15,'1760000000013-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "human_verifications" VALUES('01a2281c-3cfc-75ea-bd15-a338c41ae353',NULL,NULL,NULL,'','NG','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3d15-7508-98a7-2438f169830d','2026-11-29 16:21:09.013000',NULL,'1760000000017-0000-01a2281c-3957-7090-8410-73cb382e7f21','{"of_a_newer_schema": 2}');
INSERT INTO "human_verifications" VALUES('01a2281c-3cfc-75ea-bd15-a338c41ae353',NULL,NULL,NULL,'','OK','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3d23-713f-a940-706ae2a35d86','2026-11-29 16:21:09.027000',NULL,'1760000000019-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "human_verifications" VALUES('01a2281c-3d43-76ab-a7c1-d1023db6dadc',NULL,NULL,NULL,'','NG','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3d57-7221-909c-aa2e74509b12','2026-11-29 16:21:09.079000',NULL,'1760000000023-0000-01a2281c-3957-7090-8410-73cb382e7f21','{"of_a_newer_schema": 3}');
INSERT INTO "human_verifications" VALUES('01a2281c-3d43-76ab-a7c1-d1023db6dadc',NULL,NULL,NULL,'','OK','[]','',NULL,'01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3d84-76ce-b8cc-d2b88de9949d','2026-11-29 16:21:09.124000',NULL,'1760000000025-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
CREATE TABLE images (
	session_id VARCHAR(36) NOT NULL, 
	item_id VARCHAR(36), 
	image_kind VARCHAR(32) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	content_type VARCHAR(64) NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	captured_at DATETIME NOT NULL, 
	source VARCHAR(200) NOT NULL, 
	device_id VARCHAR(64) NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, 
	CONSTRAINT pk_images PRIMARY KEY (id), 
	CONSTRAINT fk_images_item_id_inspection_items FOREIGN KEY(item_id) REFERENCES inspection_items (id), 
	CONSTRAINT fk_images_session_id_inspection_sessions FOREIGN KEY(session_id) REFERENCES inspection_sessions (id)
);
INSERT INTO "images" VALUES('01a2281c-3aef-707c-8b5b-4b623cff1612',NULL,'captured','435b2fd184a5eefb4847125027e8e105a03bca5237d18eedbca9549da7e31106',8,'image/png',4,4,'2026-11-29 16:21:08.463000','','01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3aef-707c-8b5b-4b6381805c4d','2026-11-29 16:21:08.463000',5,'1760000000003-0003-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "images" VALUES('01a2281c-3b5f-7618-978b-981119af44df',NULL,'captured','372e58ffcc75f7d16731a4b40dca3d27da4cbbef845ef1634a10fe52997e8527',8,'image/png',4,4,'2026-11-29 16:21:08.575000','','01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3b5f-7618-978b-98128263578d','2026-11-29 16:21:08.575000',11,'1760000000009-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "images" VALUES('01a2281c-3cfc-75ea-bd15-a338c41ae353',NULL,'captured','44db1d7f7c12857f6f4eebe8c04e3eac8eb4bf4ce55e5dd28e1631b966d99e36',8,'image/png',4,4,'2026-11-29 16:21:08.988000','','01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3cfc-75ea-bd15-a3394118b841','2026-11-29 16:21:08.988000',NULL,'1760000000015-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
INSERT INTO "images" VALUES('01a2281c-3d43-76ab-a7c1-d1023db6dadc',NULL,'captured','d649c33822e5dee5cc57226303bda7f6e57e18b7d50bf91dc482f450126975d5',8,'image/png',4,4,'2026-11-29 16:21:09.059000','','01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3d43-76ab-a7c1-d1037a05a1ec','2026-11-29 16:21:09.059000',NULL,'1760000000021-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}');
CREATE TABLE inspection_items (
	target_id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	description TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	required BOOLEAN NOT NULL, 
	criteria JSON NOT NULL, 
	pipeline_id VARCHAR(36), 
	pipeline_parameters JSON NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, search_text TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_inspection_items PRIMARY KEY (id), 
	CONSTRAINT fk_inspection_items_pipeline_id_pipelines FOREIGN KEY(pipeline_id) REFERENCES pipelines (id), 
	CONSTRAINT fk_inspection_items_target_id_targets FOREIGN KEY(target_id) REFERENCES targets (id)
);
INSERT INTO "inspection_items" VALUES('01a2281c-3972-7220-9127-4503eb9e0cf1','Surface','',1,1,'{}',NULL,'{}','2026-11-29 16:21:08.082000',NULL,'{"target_id": {"rev": 3, "clock": "1760000000003-0000-server"}, "name": {"rev": 3, "clock": "1760000000003-0000-server"}, "description": {"rev": 3, "clock": "1760000000003-0000-server"}, "position": {"rev": 3, "clock": "1760000000003-0000-server"}, "required": {"rev": 3, "clock": "1760000000003-0000-server"}, "criteria": {"rev": 3, "clock": "1760000000003-0000-server"}, "pipeline_id": {"rev": 3, "clock": "1760000000003-0000-server"}, "pipeline_parameters": {"rev": 3, "clock": "1760000000003-0000-server"}, "updated_at": {"rev": 3, "clock": "1760000000003-0000-server"}, "deleted_at": {"rev": 3, "clock": "1760000000003-0000-server"}, "created_at": {"rev": 3, "clock": "1760000000003-0000-server"}}','01a2281c-3972-7220-9127-45044311ef9c','2026-11-29 16:21:08.082000',3,'1760000000003-0000-server','{}','surface
');
CREATE TABLE inspection_sessions (
	device_id VARCHAR(64) NOT NULL, 
	target_id VARCHAR(36) NOT NULL, 
	user_id VARCHAR(36), 
	lot VARCHAR(128) NOT NULL, 
	serial_number VARCHAR(128) NOT NULL, 
	status VARCHAR(32) NOT NULL, 
	started_at DATETIME, 
	completed_at DATETIME, 
	effective_verdict VARCHAR(32), 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, search_text TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_inspection_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_inspection_sessions_target_id_targets FOREIGN KEY(target_id) REFERENCES targets (id), 
	CONSTRAINT fk_inspection_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "inspection_sessions" VALUES('01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-4503eb9e0cf1','01a2281c-3972-7220-9127-45015682c8b5','','','COMPLETED',NULL,'2026-11-29 16:21:08.531000','OK','01a2281c-3aef-707c-8b5b-4b623cff1612','2026-11-29 16:21:08.463000',8,'1760000000006-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}','');
INSERT INTO "inspection_sessions" VALUES('01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-4503eb9e0cf1','01a2281c-3972-7220-9127-45015682c8b5','','','COMPLETED',NULL,'2026-11-29 16:21:08.622000','OK','01a2281c-3b5f-7618-978b-981119af44df','2026-11-29 16:21:08.575000',14,'1760000000012-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}','');
INSERT INTO "inspection_sessions" VALUES('01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-4503eb9e0cf1','01a2281c-3972-7220-9127-45015682c8b5','','','COMPLETED',NULL,'2026-11-29 16:21:09.027000','OK','01a2281c-3cfc-75ea-bd15-a338c41ae353','2026-11-29 16:21:08.988000',NULL,'1760000000018-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}','');
INSERT INTO "inspection_sessions" VALUES('01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-4503eb9e0cf1','01a2281c-3972-7220-9127-45015682c8b5','','','COMPLETED',NULL,'2026-11-29 16:21:09.124000','OK','01a2281c-3d43-76ab-a7c1-d1023db6dadc','2026-11-29 16:21:09.059000',NULL,'1760000000024-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}','');
CREATE TABLE model_files (
	name VARCHAR(200) NOT NULL, 
	model_kind VARCHAR(32) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	metrics JSON NOT NULL, 
	item_id VARCHAR(36), 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, 
	CONSTRAINT pk_model_files PRIMARY KEY (id), 
	CONSTRAINT fk_model_files_item_id_inspection_items FOREIGN KEY(item_id) REFERENCES inspection_items (id)
);
CREATE TABLE outbox (
	sequence INTEGER NOT NULL, 
	change_id VARCHAR(36) NOT NULL, 
	entity VARCHAR(64) NOT NULL, 
	entity_id VARCHAR(36) NOT NULL, 
	op VARCHAR(32) NOT NULL, 
	base_rev BIGINT, 
	fields JSON NOT NULL, 
	clock VARCHAR(96) NOT NULL, 
	user_id VARCHAR(36), 
	created_at DATETIME NOT NULL, 
	attempts INTEGER NOT NULL, 
	last_error TEXT NOT NULL, 
	state VARCHAR(32) NOT NULL, 
	problem JSON, 
	CONSTRAINT pk_outbox PRIMARY KEY (sequence), 
	CONSTRAINT uq_outbox_change_id UNIQUE (change_id)
);
INSERT INTO "outbox" VALUES(1,'01a2281c-3cfd-76ef-89b0-4281ff0154e5','inspection_session','01a2281c-3cfc-75ea-bd15-a338c41ae353','insert',NULL,'{"device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "target_id": "01a2281c-3972-7220-9127-4503eb9e0cf1", "user_id": "01a2281c-3972-7220-9127-45015682c8b5", "lot": "", "serial_number": "", "status": "AI_COMPLETED", "started_at": null, "completed_at": null, "created_at": "2026-11-29T16:21:08.988Z"}','1760000000014-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:08.989000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(2,'01a2281c-3cfe-7600-b989-5be78787ebd2','image','01a2281c-3cfc-75ea-bd15-a3394118b841','insert',NULL,'{"session_id": "01a2281c-3cfc-75ea-bd15-a338c41ae353", "item_id": null, "image_kind": "captured", "sha256": "44db1d7f7c12857f6f4eebe8c04e3eac8eb4bf4ce55e5dd28e1631b966d99e36", "size_bytes": 8, "content_type": "image/png", "width": 4, "height": 4, "captured_at": "2026-11-29T16:21:08.988Z", "source": "", "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:08.988Z"}','1760000000015-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:08.990000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(3,'01a2281c-3d09-7090-8d15-07e9559f8f15','ai_result','01a2281c-3cfc-75ea-bd15-a33a974839b5','insert',NULL,'{"session_id": "01a2281c-3cfc-75ea-bd15-a338c41ae353", "item_id": null, "image_id": "01a2281c-3cfc-75ea-bd15-a3394118b841", "heatmap_image_id": null, "pipeline_id": null, "pipeline_version": null, "model_sha256": null, "overall_result": "OK", "confidence": 0.75, "anomaly_score": 0.30000000000000004, "threshold": null, "detections": [], "reasons": [], "steps": [], "processing_time_ms": 0.0, "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:08.988Z"}','1760000000016-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.001000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(4,'01a2281c-3d15-7508-98a7-2439581fe239','human_verification','01a2281c-3d15-7508-98a7-2438f169830d','insert',NULL,'{"of_a_newer_schema": 2, "session_id": "01a2281c-3cfc-75ea-bd15-a338c41ae353", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "NG", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:09.013Z"}','1760000000017-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.013000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(5,'01a2281c-3d24-73fc-a400-6192f5c9f7cf','inspection_session','01a2281c-3cfc-75ea-bd15-a338c41ae353','update',NULL,'{"status": "COMPLETED", "completed_at": "2026-11-29T16:21:09.027Z"}','1760000000018-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.028000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(6,'01a2281c-3d24-73fc-a400-619307f60738','human_verification','01a2281c-3d23-713f-a940-706ae2a35d86','insert',NULL,'{"session_id": "01a2281c-3cfc-75ea-bd15-a338c41ae353", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "OK", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:09.027Z"}','1760000000019-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.028000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(7,'01a2281c-3d44-70b3-97f2-d45783fce8e0','inspection_session','01a2281c-3d43-76ab-a7c1-d1023db6dadc','insert',NULL,'{"device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "target_id": "01a2281c-3972-7220-9127-4503eb9e0cf1", "user_id": "01a2281c-3972-7220-9127-45015682c8b5", "lot": "", "serial_number": "", "status": "AI_COMPLETED", "started_at": null, "completed_at": null, "created_at": "2026-11-29T16:21:09.059Z"}','1760000000020-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.060000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(8,'01a2281c-3d45-71df-b7c8-86f07dba9455','image','01a2281c-3d43-76ab-a7c1-d1037a05a1ec','insert',NULL,'{"session_id": "01a2281c-3d43-76ab-a7c1-d1023db6dadc", "item_id": null, "image_kind": "captured", "sha256": "d649c33822e5dee5cc57226303bda7f6e57e18b7d50bf91dc482f450126975d5", "size_bytes": 8, "content_type": "image/png", "width": 4, "height": 4, "captured_at": "2026-11-29T16:21:09.059Z", "source": "", "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:09.059Z"}','1760000000021-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.061000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(9,'01a2281c-3d46-7371-a388-d40a2e45f43f','ai_result','01a2281c-3d43-76ab-a7c1-d104b59c56b2','insert',NULL,'{"session_id": "01a2281c-3d43-76ab-a7c1-d1023db6dadc", "item_id": null, "image_id": "01a2281c-3d43-76ab-a7c1-d1037a05a1ec", "heatmap_image_id": null, "pipeline_id": null, "pipeline_version": null, "model_sha256": null, "overall_result": "OK", "confidence": 0.75, "anomaly_score": 0.30000000000000004, "threshold": null, "detections": [], "reasons": [], "steps": [], "processing_time_ms": 0.0, "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:09.059Z"}','1760000000022-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.062000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(10,'01a2281c-3d57-7221-909c-aa2f146d7711','human_verification','01a2281c-3d57-7221-909c-aa2e74509b12','insert',NULL,'{"of_a_newer_schema": 3, "session_id": "01a2281c-3d43-76ab-a7c1-d1023db6dadc", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "NG", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:09.079Z"}','1760000000023-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.079000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(11,'01a2281c-3d84-76ce-b8cc-d2b92ff4de72','inspection_session','01a2281c-3d43-76ab-a7c1-d1023db6dadc','update',NULL,'{"status": "COMPLETED", "completed_at": "2026-11-29T16:21:09.124Z"}','1760000000024-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.124000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(12,'01a2281c-3d84-76ce-b8cc-d2badc082258','human_verification','01a2281c-3d84-76ce-b8cc-d2b88de9949d','insert',NULL,'{"session_id": "01a2281c-3d43-76ab-a7c1-d1023db6dadc", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "OK", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281c-3957-7090-8410-73cb382e7f21", "created_at": "2026-11-29T16:21:09.124Z"}','1760000000025-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.124000',0,'','waiting',NULL);
INSERT INTO "outbox" VALUES(13,'01a2281c-3da5-7671-a847-5ba8a354c216','target','01a2281c-3972-7220-9127-4503eb9e0cf1','update',2,'{"name": "Edited while offline", "description": "\u691c\u67fb", "updated_at": "2026-11-29T16:21:09.156Z"}','1760000000026-0000-01a2281c-3957-7090-8410-73cb382e7f21','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:09.157000',0,'','waiting',NULL);
CREATE TABLE pipelines (
	name VARCHAR(200) NOT NULL, 
	description TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	definition JSON NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, search_text TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_pipelines PRIMARY KEY (id)
);
CREATE TABLE station_configs (
	device_id VARCHAR(64), 
	settings JSON NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, 
	CONSTRAINT pk_station_configs PRIMARY KEY (id)
);
CREATE TABLE stored_files (
	id VARCHAR(36) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	filename VARCHAR(255) NOT NULL, 
	content_type VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	width INTEGER, 
	height INTEGER, 
	user_id VARCHAR(36), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_stored_files PRIMARY KEY (id)
);
CREATE TABLE sync_conflicts (
	id VARCHAR(36) NOT NULL, 
	entity VARCHAR(64) NOT NULL, 
	entity_id VARCHAR(36) NOT NULL, 
	field VARCHAR(64) NOT NULL, 
	change_id VARCHAR(36) NOT NULL, 
	device_id VARCHAR(64) NOT NULL, 
	kept_value JSON NOT NULL, 
	kept_clock VARCHAR(96) NOT NULL, 
	lost_value JSON NOT NULL, 
	lost_clock VARCHAR(96) NOT NULL, 
	created_at DATETIME NOT NULL, 
	seen_at DATETIME, 
	CONSTRAINT pk_sync_conflicts PRIMARY KEY (id)
);
CREATE TABLE sync_state (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_sync_state PRIMARY KEY ("key")
);
INSERT INTO "sync_state" VALUES('newest_clock','1760000000026-0000-01a2281c-3957-7090-8410-73cb382e7f21');
INSERT INTO "sync_state" VALUES('cursor','MnwwMWEyMjgxYy0zOTdiLTc3YWQtYTk4ZC1iYTllM2VmYjUwMzl8MTV8YWM3ZWMwYjZhOWY3');
INSERT INTO "sync_state" VALUES('schema_version','1');
INSERT INTO "sync_state" VALUES('last_success','2026-11-29T16:21:08.967Z');
INSERT INTO "sync_state" VALUES('acknowledged','MnwwMWEyMjgxYy0zOTdiLTc3YWQtYTk4ZC1iYTllM2VmYjUwMzl8MTV8YWM3ZWMwYjZhOWY3');
CREATE TABLE targets (
	code VARCHAR(64) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	version VARCHAR(32) NOT NULL, 
	description TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, search_text TEXT DEFAULT '' NOT NULL, name_key VARCHAR(255) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_targets PRIMARY KEY (id)
);
INSERT INTO "targets" VALUES('T-42a9d8','Edited while offline','1','検査','2026-11-29 16:21:09.156000',NULL,'{"code": {"rev": 2, "clock": "1760000000002-0000-server"}, "name": {"rev": 2, "clock": "1760000000026-0000-01a2281c-3957-7090-8410-73cb382e7f21"}, "version": {"rev": 2, "clock": "1760000000002-0000-server"}, "description": {"rev": 2, "clock": "1760000000026-0000-01a2281c-3957-7090-8410-73cb382e7f21"}, "updated_at": {"rev": 2, "clock": "1760000000026-0000-01a2281c-3957-7090-8410-73cb382e7f21"}, "deleted_at": {"rev": 2, "clock": "1760000000002-0000-server"}, "created_at": {"rev": 2, "clock": "1760000000002-0000-server"}}','01a2281c-3972-7220-9127-4503eb9e0cf1','2026-11-29 16:21:08.082000',2,'1760000000026-0000-01a2281c-3957-7090-8410-73cb382e7f21','{}','t-42a9d8
edited while offline
検査','t-42a9d8');
CREATE TABLE user_credentials (
	user_id VARCHAR(36) NOT NULL, 
	password_digest VARCHAR(255) NOT NULL, 
	updated_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	CONSTRAINT pk_user_credentials PRIMARY KEY (user_id)
);
CREATE TABLE users (
	username VARCHAR(64) NOT NULL, 
	display_name VARCHAR(200) NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	language VARCHAR(8) NOT NULL, 
	active BOOLEAN NOT NULL, 
	updated_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	field_clocks JSON NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	rev BIGINT, 
	clock VARCHAR(96) NOT NULL, 
	extra JSON NOT NULL, search_text TEXT DEFAULT '' NOT NULL, name_key VARCHAR(255) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id)
);
INSERT INTO "users" VALUES('quality-5c4963','','supervisor','ja',1,'2026-11-29 16:21:08.082000',NULL,'{"username": {"rev": 1, "clock": "1760000000001-0000-server"}, "display_name": {"rev": 1, "clock": "1760000000001-0000-server"}, "role": {"rev": 1, "clock": "1760000000001-0000-server"}, "language": {"rev": 1, "clock": "1760000000001-0000-server"}, "active": {"rev": 1, "clock": "1760000000001-0000-server"}, "updated_at": {"rev": 1, "clock": "1760000000001-0000-server"}, "deleted_at": {"rev": 1, "clock": "1760000000001-0000-server"}, "created_at": {"rev": 1, "clock": "1760000000001-0000-server"}}','01a2281c-3972-7220-9127-45015682c8b5','2026-11-29 16:21:08.082000',1,'1760000000001-0000-server','{}','quality-5c4963
','quality-5c4963');
CREATE INDEX ix_audit_entries_device_id ON audit_entries (device_id);
CREATE UNIQUE INDEX uq_audit_entries_chain ON audit_entries (device_id, sequence);
CREATE INDEX ix_blobs_uploaded_at ON blobs (uploaded_at);
CREATE INDEX ix_change_log_change_id ON change_log (change_id);
CREATE INDEX ix_change_log_committed_at ON change_log (committed_at);
CREATE INDEX ix_change_log_entity ON change_log (entity, entity_id);
CREATE INDEX ix_change_log_scope_device_id ON change_log (scope_device_id);
CREATE INDEX ix_outbox_entity_id ON outbox (entity_id);
CREATE INDEX ix_outbox_state_sequence ON outbox (state, sequence);
CREATE INDEX ix_station_configs_device_id ON station_configs (device_id);
CREATE INDEX ix_stored_files_sha256 ON stored_files (sha256);
CREATE INDEX ix_sync_conflicts_entity_id ON sync_conflicts (entity_id);
CREATE UNIQUE INDEX uq_targets_code ON targets (code) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX uq_users_username ON users (username) WHERE deleted_at IS NULL;
CREATE INDEX ix_auth_sessions_user_id ON auth_sessions (user_id);
CREATE INDEX ix_inspection_items_pipeline_id ON inspection_items (pipeline_id);
CREATE INDEX ix_inspection_items_target_id ON inspection_items (target_id);
CREATE INDEX ix_inspection_sessions_device_id ON inspection_sessions (device_id);
CREATE INDEX ix_inspection_sessions_lot ON inspection_sessions (lot);
CREATE INDEX ix_inspection_sessions_serial_number ON inspection_sessions (serial_number);
CREATE INDEX ix_inspection_sessions_statistics ON inspection_sessions (status, completed_at);
CREATE INDEX ix_inspection_sessions_target_id ON inspection_sessions (target_id);
CREATE INDEX ix_images_device_id ON images (device_id);
CREATE INDEX ix_images_session_id ON images (session_id);
CREATE INDEX ix_images_sha256 ON images (sha256);
CREATE INDEX ix_model_files_sha256 ON model_files (sha256);
CREATE INDEX ix_ai_results_device_id ON ai_results (device_id);
CREATE INDEX ix_ai_results_session_id ON ai_results (session_id);
CREATE INDEX ix_human_verifications_device_id ON human_verifications (device_id);
CREATE INDEX ix_human_verifications_session_id ON human_verifications (session_id);
CREATE INDEX ix_human_verifications_user_id ON human_verifications (user_id);
CREATE UNIQUE INDEX uq_users_name_key ON users (name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX uq_targets_name_key ON targets (name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX uq_defect_classes_name_key ON defect_classes (name_key) WHERE deleted_at IS NULL;
CREATE INDEX ix_api_keys_created_by_id ON api_keys (created_by_id);
CREATE INDEX ix_enrolment_codes_created_by_id ON enrolment_codes (created_by_id);
COMMIT;
