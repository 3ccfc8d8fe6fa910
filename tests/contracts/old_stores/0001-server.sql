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
INSERT INTO "ai_results" VALUES('01a2281b-e7c7-7092-8a50-4a7edbf96821',NULL,'01a2281b-e7c7-7092-8a50-4a7fd4a8f961',NULL,NULL,NULL,NULL,'OK',0.75,3.00000000000000044408e-01,NULL,'[]','[]','[]',0.0,'01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e7c7-7092-8a50-4a807156d371','2026-11-29 16:20:47.175000',6,'1760000000004-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
INSERT INTO "ai_results" VALUES('01a2281b-e85b-70f3-9ccc-bf16bef33941',NULL,'01a2281b-e85b-70f3-9ccc-bf17041c6de6',NULL,NULL,NULL,NULL,'OK',0.75,3.00000000000000044408e-01,NULL,'[]','[]','[]',0.0,'01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e85b-70f3-9ccc-bf1899d37c25','2026-11-29 16:20:47.323000',12,'1760000000010-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE api_keys (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	key_digest VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	revoked_at DATETIME, 
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
INSERT INTO "applied_changes" VALUES('01a2281b-e7c9-7545-8280-69fd0b054142','01a2281b-e668-7740-aba8-2293ca5d8494','applied',4,'2026-11-29 16:20:47.354000');
INSERT INTO "applied_changes" VALUES('01a2281b-e7dd-76a4-8034-9e16facb8ac4','01a2281b-e668-7740-aba8-2293ca5d8494','applied',5,'2026-11-29 16:20:47.411000');
INSERT INTO "applied_changes" VALUES('01a2281b-e7e3-776c-a1b4-0adef39b6132','01a2281b-e668-7740-aba8-2293ca5d8494','applied',6,'2026-11-29 16:20:47.446000');
INSERT INTO "applied_changes" VALUES('01a2281b-e800-7175-b9a7-fcb0482ff98e','01a2281b-e668-7740-aba8-2293ca5d8494','applied',7,'2026-11-29 16:20:47.481000');
INSERT INTO "applied_changes" VALUES('01a2281b-e811-77ed-84e2-d823e4b341e6','01a2281b-e668-7740-aba8-2293ca5d8494','applied',8,'2026-11-29 16:20:47.494000');
INSERT INTO "applied_changes" VALUES('01a2281b-e811-77ed-84e2-d82406a8b75c','01a2281b-e668-7740-aba8-2293ca5d8494','applied',9,'2026-11-29 16:20:47.506000');
INSERT INTO "applied_changes" VALUES('01a2281b-e85c-77d3-a759-9a9d1ae4c300','01a2281b-e668-7740-aba8-2293ca5d8494','applied',10,'2026-11-29 16:20:47.536000');
INSERT INTO "applied_changes" VALUES('01a2281b-e85d-7531-b8cc-8b5056eda21b','01a2281b-e668-7740-aba8-2293ca5d8494','applied',11,'2026-11-29 16:20:47.538000');
INSERT INTO "applied_changes" VALUES('01a2281b-e862-7217-8382-a197b75201e1','01a2281b-e668-7740-aba8-2293ca5d8494','applied',12,'2026-11-29 16:20:47.550000');
INSERT INTO "applied_changes" VALUES('01a2281b-e867-74b3-bfeb-c416b8854f62','01a2281b-e668-7740-aba8-2293ca5d8494','applied',13,'2026-11-29 16:20:47.566000');
INSERT INTO "applied_changes" VALUES('01a2281b-e86b-7087-9cfe-77caa41a23d9','01a2281b-e668-7740-aba8-2293ca5d8494','applied',14,'2026-11-29 16:20:47.578000');
INSERT INTO "applied_changes" VALUES('01a2281b-e86b-7087-9cfe-77cbd82289d1','01a2281b-e668-7740-aba8-2293ca5d8494','applied',15,'2026-11-29 16:20:47.585000');
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
INSERT INTO "auth_sessions" VALUES('01a2281b-e683-70f8-9df2-c8f3c5415006','01a2281b-e683-70f8-9df2-c8ee6fe26f17','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e683-70f8-9df2-c8f2c3b64b8e','2026-11-29 16:20:46.851000','2026-11-30 16:20:46.851000',NULL);
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
INSERT INTO "blobs" VALUES('372e58ffcc75f7d16731a4b40dca3d27da4cbbef845ef1634a10fe52997e8527',8,'application/octet-stream',1,'2026-11-29 16:20:47.739000',8,'2026-11-29 16:20:47.736000');
INSERT INTO "blobs" VALUES('435b2fd184a5eefb4847125027e8e105a03bca5237d18eedbca9549da7e31106',8,'application/octet-stream',1,'2026-11-29 16:20:47.820000',8,'2026-11-29 16:20:47.813000');
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
INSERT INTO "change_log" VALUES(1,'01a2281b-e686-7012-8b18-d54a756c96da','user','01a2281b-e683-70f8-9df2-c8ee6fe26f17','insert','{"username": "quality-206e28", "display_name": "", "role": "supervisor", "language": "ja", "active": true, "updated_at": "2026-11-29T16:20:46.851Z", "deleted_at": null, "created_at": "2026-11-29T16:20:46.851Z"}','1760000000001-0000-server',NULL,NULL,'2026-11-29 16:20:46.854000');
INSERT INTO "change_log" VALUES(2,'01a2281b-e698-73e9-a98f-2fbc284fa46e','target','01a2281b-e683-70f8-9df2-c8f06f4ef081','insert','{"code": "T-4f17e4", "name": "Plate", "version": "1", "description": "", "updated_at": "2026-11-29T16:20:46.851Z", "deleted_at": null, "created_at": "2026-11-29T16:20:46.851Z"}','1760000000002-0000-server',NULL,NULL,'2026-11-29 16:20:46.872000');
INSERT INTO "change_log" VALUES(3,'01a2281b-e6a4-7332-8fd2-50c6f52f8a0b','item','01a2281b-e683-70f8-9df2-c8f1e2f922b0','insert','{"target_id": "01a2281b-e683-70f8-9df2-c8f06f4ef081", "name": "Surface", "description": "", "position": 1, "required": true, "criteria": {}, "pipeline_id": null, "pipeline_parameters": {}, "updated_at": "2026-11-29T16:20:46.851Z", "deleted_at": null, "created_at": "2026-11-29T16:20:46.851Z"}','1760000000003-0000-server',NULL,NULL,'2026-11-29 16:20:46.884000');
INSERT INTO "change_log" VALUES(4,'01a2281b-e7c9-7545-8280-69fd0b054142','inspection_session','01a2281b-e7c7-7092-8a50-4a7edbf96821','insert','{"device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "target_id": "01a2281b-e683-70f8-9df2-c8f06f4ef081", "user_id": "01a2281b-e683-70f8-9df2-c8ee6fe26f17", "lot": "", "serial_number": "", "status": "AI_COMPLETED", "started_at": null, "completed_at": null, "created_at": "2026-11-29T16:20:47.175Z"}','1760000000003-0002-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.354000');
INSERT INTO "change_log" VALUES(5,'01a2281b-e7dd-76a4-8034-9e16facb8ac4','image','01a2281b-e7c7-7092-8a50-4a7fd4a8f961','insert','{"session_id": "01a2281b-e7c7-7092-8a50-4a7edbf96821", "item_id": null, "image_kind": "captured", "sha256": "435b2fd184a5eefb4847125027e8e105a03bca5237d18eedbca9549da7e31106", "size_bytes": 8, "content_type": "image/png", "width": 4, "height": 4, "captured_at": "2026-11-29T16:20:47.175Z", "source": "", "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.175Z"}','1760000000003-0003-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.411000');
INSERT INTO "change_log" VALUES(6,'01a2281b-e7e3-776c-a1b4-0adef39b6132','ai_result','01a2281b-e7c7-7092-8a50-4a807156d371','insert','{"session_id": "01a2281b-e7c7-7092-8a50-4a7edbf96821", "item_id": null, "image_id": "01a2281b-e7c7-7092-8a50-4a7fd4a8f961", "heatmap_image_id": null, "pipeline_id": null, "pipeline_version": null, "model_sha256": null, "overall_result": "OK", "confidence": 0.75, "anomaly_score": 0.30000000000000004, "threshold": null, "detections": [], "reasons": [], "steps": [], "processing_time_ms": 0.0, "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.175Z"}','1760000000004-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.446000');
INSERT INTO "change_log" VALUES(7,'01a2281b-e800-7175-b9a7-fcb0482ff98e','human_verification','01a2281b-e7ff-7674-866d-d526d1493b84','insert','{"of_a_newer_schema": 0, "session_id": "01a2281b-e7c7-7092-8a50-4a7edbf96821", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "NG", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.231Z"}','1760000000005-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.481000');
INSERT INTO "change_log" VALUES(8,'01a2281b-e811-77ed-84e2-d823e4b341e6','inspection_session','01a2281b-e7c7-7092-8a50-4a7edbf96821','update','{"status": "COMPLETED", "completed_at": "2026-11-29T16:20:47.248Z"}','1760000000006-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.494000');
INSERT INTO "change_log" VALUES(9,'01a2281b-e811-77ed-84e2-d82406a8b75c','human_verification','01a2281b-e810-716e-bc9d-0f78faebb3a1','insert','{"session_id": "01a2281b-e7c7-7092-8a50-4a7edbf96821", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "OK", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.248Z"}','1760000000007-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.506000');
INSERT INTO "change_log" VALUES(10,'01a2281b-e85c-77d3-a759-9a9d1ae4c300','inspection_session','01a2281b-e85b-70f3-9ccc-bf16bef33941','insert','{"device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "target_id": "01a2281b-e683-70f8-9df2-c8f06f4ef081", "user_id": "01a2281b-e683-70f8-9df2-c8ee6fe26f17", "lot": "", "serial_number": "", "status": "AI_COMPLETED", "started_at": null, "completed_at": null, "created_at": "2026-11-29T16:20:47.323Z"}','1760000000008-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.536000');
INSERT INTO "change_log" VALUES(11,'01a2281b-e85d-7531-b8cc-8b5056eda21b','image','01a2281b-e85b-70f3-9ccc-bf17041c6de6','insert','{"session_id": "01a2281b-e85b-70f3-9ccc-bf16bef33941", "item_id": null, "image_kind": "captured", "sha256": "372e58ffcc75f7d16731a4b40dca3d27da4cbbef845ef1634a10fe52997e8527", "size_bytes": 8, "content_type": "image/png", "width": 4, "height": 4, "captured_at": "2026-11-29T16:20:47.323Z", "source": "", "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.323Z"}','1760000000009-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.538000');
INSERT INTO "change_log" VALUES(12,'01a2281b-e862-7217-8382-a197b75201e1','ai_result','01a2281b-e85b-70f3-9ccc-bf1899d37c25','insert','{"session_id": "01a2281b-e85b-70f3-9ccc-bf16bef33941", "item_id": null, "image_id": "01a2281b-e85b-70f3-9ccc-bf17041c6de6", "heatmap_image_id": null, "pipeline_id": null, "pipeline_version": null, "model_sha256": null, "overall_result": "OK", "confidence": 0.75, "anomaly_score": 0.30000000000000004, "threshold": null, "detections": [], "reasons": [], "steps": [], "processing_time_ms": 0.0, "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.323Z"}','1760000000010-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.550000');
INSERT INTO "change_log" VALUES(13,'01a2281b-e867-74b3-bfeb-c416b8854f62','human_verification','01a2281b-e866-74f2-bd43-8c4d383e2924','insert','{"of_a_newer_schema": 1, "session_id": "01a2281b-e85b-70f3-9ccc-bf16bef33941", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "NG", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.334Z"}','1760000000011-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.566000');
INSERT INTO "change_log" VALUES(14,'01a2281b-e86b-7087-9cfe-77caa41a23d9','inspection_session','01a2281b-e85b-70f3-9ccc-bf16bef33941','update','{"status": "COMPLETED", "completed_at": "2026-11-29T16:20:47.339Z"}','1760000000012-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.578000');
INSERT INTO "change_log" VALUES(15,'01a2281b-e86b-7087-9cfe-77cbd82289d1','human_verification','01a2281b-e86b-7087-9cfe-77c9dd21c9b7','insert','{"session_id": "01a2281b-e85b-70f3-9ccc-bf16bef33941", "item_id": null, "ai_result_id": null, "user_id": null, "username": "", "verdict": "OK", "defects": [], "comment": "", "seconds": null, "device_id": "01a2281b-e668-7740-aba8-2293ca5d8494", "created_at": "2026-11-29T16:20:47.339Z"}','1760000000013-0000-01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e668-7740-aba8-2293ca5d8494','2026-11-29 16:20:47.585000');
CREATE TABLE change_log_head (
	id INTEGER NOT NULL, 
	position BIGINT NOT NULL, 
	CONSTRAINT pk_change_log_head PRIMARY KEY (id)
);
INSERT INTO "change_log_head" VALUES(1,15);
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
	extra JSON NOT NULL, 
	CONSTRAINT pk_defect_classes PRIMARY KEY (id)
);
CREATE TABLE devices (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	status VARCHAR(32) NOT NULL, 
	credential_digest VARCHAR(64) NOT NULL, 
	enrolled_at DATETIME NOT NULL, 
	last_seen_at DATETIME, 
	CONSTRAINT pk_devices PRIMARY KEY (id)
);
INSERT INTO "devices" VALUES('01a2281b-e668-7740-aba8-2293ca5d8494','station','active','9b4ef3e5b7b4d1759cb8f880e34dbd5ea8c3fcd79ce33b89d7357bf64fcbfc91','2026-11-29 16:20:46.824000',NULL);
CREATE TABLE enrolment_codes (
	id VARCHAR(36) NOT NULL, 
	code_digest VARCHAR(64) NOT NULL, 
	device_name VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
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
INSERT INTO "human_verifications" VALUES('01a2281b-e7c7-7092-8a50-4a7edbf96821',NULL,NULL,NULL,'','NG','[]','',NULL,'01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e7ff-7674-866d-d526d1493b84','2026-11-29 16:20:47.231000',7,'1760000000005-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{"of_a_newer_schema": 0}');
INSERT INTO "human_verifications" VALUES('01a2281b-e7c7-7092-8a50-4a7edbf96821',NULL,NULL,NULL,'','OK','[]','',NULL,'01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e810-716e-bc9d-0f78faebb3a1','2026-11-29 16:20:47.248000',9,'1760000000007-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
INSERT INTO "human_verifications" VALUES('01a2281b-e85b-70f3-9ccc-bf16bef33941',NULL,NULL,NULL,'','NG','[]','',NULL,'01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e866-74f2-bd43-8c4d383e2924','2026-11-29 16:20:47.334000',13,'1760000000011-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{"of_a_newer_schema": 1}');
INSERT INTO "human_verifications" VALUES('01a2281b-e85b-70f3-9ccc-bf16bef33941',NULL,NULL,NULL,'','OK','[]','',NULL,'01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e86b-7087-9cfe-77c9dd21c9b7','2026-11-29 16:20:47.339000',15,'1760000000013-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
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
INSERT INTO "images" VALUES('01a2281b-e7c7-7092-8a50-4a7edbf96821',NULL,'captured','435b2fd184a5eefb4847125027e8e105a03bca5237d18eedbca9549da7e31106',8,'image/png',4,4,'2026-11-29 16:20:47.175000','','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e7c7-7092-8a50-4a7fd4a8f961','2026-11-29 16:20:47.175000',5,'1760000000003-0003-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
INSERT INTO "images" VALUES('01a2281b-e85b-70f3-9ccc-bf16bef33941',NULL,'captured','372e58ffcc75f7d16731a4b40dca3d27da4cbbef845ef1634a10fe52997e8527',8,'image/png',4,4,'2026-11-29 16:20:47.323000','','01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e85b-70f3-9ccc-bf17041c6de6','2026-11-29 16:20:47.323000',11,'1760000000009-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
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
	extra JSON NOT NULL, 
	CONSTRAINT pk_inspection_items PRIMARY KEY (id), 
	CONSTRAINT fk_inspection_items_pipeline_id_pipelines FOREIGN KEY(pipeline_id) REFERENCES pipelines (id), 
	CONSTRAINT fk_inspection_items_target_id_targets FOREIGN KEY(target_id) REFERENCES targets (id)
);
INSERT INTO "inspection_items" VALUES('01a2281b-e683-70f8-9df2-c8f06f4ef081','Surface','',1,1,'{}',NULL,'{}','2026-11-29 16:20:46.851000',NULL,'{"target_id": {"rev": 3, "clock": "1760000000003-0000-server"}, "name": {"rev": 3, "clock": "1760000000003-0000-server"}, "description": {"rev": 3, "clock": "1760000000003-0000-server"}, "position": {"rev": 3, "clock": "1760000000003-0000-server"}, "required": {"rev": 3, "clock": "1760000000003-0000-server"}, "criteria": {"rev": 3, "clock": "1760000000003-0000-server"}, "pipeline_id": {"rev": 3, "clock": "1760000000003-0000-server"}, "pipeline_parameters": {"rev": 3, "clock": "1760000000003-0000-server"}, "updated_at": {"rev": 3, "clock": "1760000000003-0000-server"}, "deleted_at": {"rev": 3, "clock": "1760000000003-0000-server"}, "created_at": {"rev": 3, "clock": "1760000000003-0000-server"}}','01a2281b-e683-70f8-9df2-c8f1e2f922b0','2026-11-29 16:20:46.851000',3,'1760000000003-0000-server','{}');
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
	extra JSON NOT NULL, 
	CONSTRAINT pk_inspection_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_inspection_sessions_target_id_targets FOREIGN KEY(target_id) REFERENCES targets (id), 
	CONSTRAINT fk_inspection_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "inspection_sessions" VALUES('01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e683-70f8-9df2-c8f06f4ef081','01a2281b-e683-70f8-9df2-c8ee6fe26f17','','','COMPLETED',NULL,'2026-11-29 16:20:47.248000','OK','01a2281b-e7c7-7092-8a50-4a7edbf96821','2026-11-29 16:20:47.175000',8,'1760000000006-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
INSERT INTO "inspection_sessions" VALUES('01a2281b-e668-7740-aba8-2293ca5d8494','01a2281b-e683-70f8-9df2-c8f06f4ef081','01a2281b-e683-70f8-9df2-c8ee6fe26f17','','','COMPLETED',NULL,'2026-11-29 16:20:47.339000','OK','01a2281b-e85b-70f3-9ccc-bf16bef33941','2026-11-29 16:20:47.323000',14,'1760000000012-0000-01a2281b-e668-7740-aba8-2293ca5d8494','{}');
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
	extra JSON NOT NULL, 
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
INSERT INTO "sync_state" VALUES('log_name','01a2281b-e686-7012-8b18-d54924a7f421');
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
	extra JSON NOT NULL, 
	CONSTRAINT pk_targets PRIMARY KEY (id)
);
INSERT INTO "targets" VALUES('T-4f17e4','Plate','1','','2026-11-29 16:20:46.851000',NULL,'{"code": {"rev": 2, "clock": "1760000000002-0000-server"}, "name": {"rev": 2, "clock": "1760000000002-0000-server"}, "version": {"rev": 2, "clock": "1760000000002-0000-server"}, "description": {"rev": 2, "clock": "1760000000002-0000-server"}, "updated_at": {"rev": 2, "clock": "1760000000002-0000-server"}, "deleted_at": {"rev": 2, "clock": "1760000000002-0000-server"}, "created_at": {"rev": 2, "clock": "1760000000002-0000-server"}}','01a2281b-e683-70f8-9df2-c8f06f4ef081','2026-11-29 16:20:46.851000',2,'1760000000002-0000-server','{}');
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
	extra JSON NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id)
);
INSERT INTO "users" VALUES('quality-206e28','','supervisor','ja',1,'2026-11-29 16:20:46.851000',NULL,'{"username": {"rev": 1, "clock": "1760000000001-0000-server"}, "display_name": {"rev": 1, "clock": "1760000000001-0000-server"}, "role": {"rev": 1, "clock": "1760000000001-0000-server"}, "language": {"rev": 1, "clock": "1760000000001-0000-server"}, "active": {"rev": 1, "clock": "1760000000001-0000-server"}, "updated_at": {"rev": 1, "clock": "1760000000001-0000-server"}, "deleted_at": {"rev": 1, "clock": "1760000000001-0000-server"}, "created_at": {"rev": 1, "clock": "1760000000001-0000-server"}}','01a2281b-e683-70f8-9df2-c8ee6fe26f17','2026-11-29 16:20:46.851000',1,'1760000000001-0000-server','{}');
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
COMMIT;
