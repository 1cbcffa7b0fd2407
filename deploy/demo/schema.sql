-- The pharmacy, as an application that grew for fifteen years would have it: audit columns on some
-- tables and not on others, two generations of naming, foreign keys only where somebody remembered
-- them, a latin1 table from before the migration to utf8mb4. rowtrail has to live with all of it.
-- Works on MySQL 5.7 and newer and on MariaDB. Statements end with a semicolon at a line's end.

CREATE DATABASE IF NOT EXISTS pharmacy DEFAULT CHARACTER SET utf8mb4;

CREATE TABLE pharmacy.`user` (
  id            INT UNSIGNED NOT NULL AUTO_INCREMENT,
  login         VARCHAR(40) NOT NULL,
  full_name     VARCHAR(120) NOT NULL,
  email         VARCHAR(190) CHARACTER SET latin1 NULL,
  password_hash CHAR(60) CHARACTER SET latin1 NOT NULL,
  is_active     TINYINT(1) NOT NULL DEFAULT 1,
  born_on       DATE NULL,
  settings      JSON NULL,
  badge_photo   BLOB NULL,
  last_seen_at  DATETIME(6) NULL,
  created_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY login (login)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.`role` (
  id          SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT,
  code        VARCHAR(30) CHARACTER SET latin1 NOT NULL,
  name        VARCHAR(80) NOT NULL,
  permissions SET('sell', 'dispense', 'price', 'stock', 'refund', 'admin') NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  UNIQUE KEY code (code)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.user_role (
  user_id     INT UNSIGNED NOT NULL,
  role_id     SMALLINT UNSIGNED NOT NULL,
  valid_until DATE NULL,
  granted_by  VARCHAR(40) NOT NULL,
  granted_at  TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (user_id, role_id),
  CONSTRAINT user_role_user FOREIGN KEY (user_id) REFERENCES pharmacy.`user` (id),
  CONSTRAINT user_role_role FOREIGN KEY (role_id) REFERENCES pharmacy.`role` (id)
) ENGINE=InnoDB;

-- Never migrated to utf8mb4.
CREATE TABLE pharmacy.location (
  id        SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT,
  code      CHAR(4) NOT NULL,
  name      VARCHAR(80) NOT NULL,
  kind      ENUM('shop', 'warehouse', 'ward') NOT NULL DEFAULT 'shop',
  address   TEXT NULL,
  phone     VARCHAR(30) NULL,
  opens_at  TIME NULL,
  closes_at TIME NULL,
  PRIMARY KEY (id),
  UNIQUE KEY code (code)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE pharmacy.product (
  id          INT UNSIGNED NOT NULL AUTO_INCREMENT,
  sku         VARCHAR(20) CHARACTER SET latin1 NOT NULL,
  name        VARCHAR(200) NOT NULL,
  description TEXT NULL,
  form        ENUM('tablet', 'capsule', 'syrup', 'drops', 'ointment', 'spray', 'device', 'other') NOT NULL,
  flags       SET('rx', 'otc', 'cold_chain', 'controlled', 'fragile') NOT NULL DEFAULT '',
  strength_mg DECIMAL(10,3) NULL,
  pack_size   SMALLINT UNSIGNED NOT NULL DEFAULT 1,
  attributes  JSON NULL,
  leaflet     MEDIUMBLOB NULL,
  is_active   TINYINT(1) NOT NULL DEFAULT 1,
  created_by  VARCHAR(40) NULL,
  created_at  DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_by  VARCHAR(40) NULL,
  updated_at  TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY sku (sku)
) ENGINE=InnoDB;

-- One open row (valid_to IS NULL) for each product; its foreign key was forgotten.
CREATE TABLE pharmacy.price (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  product_id INT UNSIGNED NOT NULL,
  amount     DECIMAL(12,4) NOT NULL,
  currency   CHAR(3) CHARACTER SET latin1 NOT NULL DEFAULT 'EUR',
  vat_rate   DECIMAL(4,2) NOT NULL DEFAULT 19.00,
  valid_from DATETIME(6) NOT NULL,
  valid_to   DATETIME(6) NULL,
  created_by VARCHAR(40) NOT NULL,
  PRIMARY KEY (id),
  KEY product (product_id, valid_to)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.stock (
  id              INT UNSIGNED NOT NULL AUTO_INCREMENT,
  product_id      INT UNSIGNED NOT NULL,
  location_id     SMALLINT UNSIGNED NOT NULL,
  quantity        INT NOT NULL DEFAULT 0,
  min_quantity    SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  bin             VARCHAR(12) CHARACTER SET latin1 NULL,
  last_counted_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY product_location (product_id, location_id),
  CONSTRAINT stock_location FOREIGN KEY (location_id) REFERENCES pharmacy.location (id)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.stock_adjustment (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  stock_id   INT UNSIGNED NOT NULL,
  kind       ENUM('receipt', 'count', 'correction', 'waste') NOT NULL,
  delta      INT NOT NULL,
  counted    MEDIUMINT UNSIGNED NULL,
  reference  VARCHAR(40) NULL,
  reason     VARCHAR(120) CHARACTER SET latin1 NULL,
  created_by VARCHAR(40) NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (id),
  KEY stock (stock_id)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.transfer (
  id               BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  product_id       INT UNSIGNED NOT NULL,
  from_location_id SMALLINT UNSIGNED NOT NULL,
  to_location_id   SMALLINT UNSIGNED NOT NULL,
  quantity         INT UNSIGNED NOT NULL,
  note             TEXT NULL,
  created_by       VARCHAR(40) NOT NULL,
  created_at       DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (id),
  CONSTRAINT transfer_product FOREIGN KEY (product_id) REFERENCES pharmacy.product (id)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.prescription (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  number       VARCHAR(24) CHARACTER SET latin1 NOT NULL,
  patient_name VARCHAR(120) NOT NULL,
  patient_born DATE NULL,
  prescriber   VARCHAR(120) NOT NULL,
  product_id   INT UNSIGNED NOT NULL,
  quantity     SMALLINT UNSIGNED NOT NULL,
  status       ENUM('open', 'filled', 'cancelled') NOT NULL DEFAULT 'open',
  dosage       JSON NULL,
  issued_on    DATE NOT NULL,
  created_by   VARCHAR(40) NOT NULL,
  filled_by    VARCHAR(40) NULL,
  filled_at    DATETIME(6) NULL,
  updated_by   VARCHAR(40) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY number (number)
) ENGINE=InnoDB;

-- The sales module was rewritten: it says who acts in a comment of its SQL, not in a column.
CREATE TABLE pharmacy.sale (
  id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  location_id     SMALLINT UNSIGNED NOT NULL,
  register_no     TINYINT UNSIGNED NOT NULL,
  status          ENUM('paid', 'refunded') NOT NULL DEFAULT 'paid',
  total           DECIMAL(12,2) NOT NULL,
  prescription_id BIGINT UNSIGNED NULL,
  sold_at         DATETIME(6) NOT NULL,
  refunded_at     DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY sold (sold_at)
) ENGINE=InnoDB;

CREATE TABLE pharmacy.sale_item (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  sale_id    BIGINT UNSIGNED NOT NULL,
  line_no    TINYINT UNSIGNED NOT NULL,
  product_id INT UNSIGNED NOT NULL,
  quantity   SMALLINT UNSIGNED NOT NULL,
  unit_price DECIMAL(12,4) NOT NULL,
  discount   DECIMAL(12,2) NOT NULL DEFAULT 0.00,
  PRIMARY KEY (id),
  UNIQUE KEY line (sale_id, line_no),
  CONSTRAINT sale_item_sale FOREIGN KEY (sale_id) REFERENCES pharmacy.sale (id)
) ENGINE=InnoDB;

-- A refund is a payment below zero.
CREATE TABLE pharmacy.payment (
  id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  sale_id  BIGINT UNSIGNED NOT NULL,
  method   ENUM('cash', 'card', 'insurance') NOT NULL,
  amount   DECIMAL(12,2) NOT NULL,
  receipt  BLOB NULL,
  paid_at  TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (id),
  KEY sale (sale_id)
) ENGINE=InnoDB;
